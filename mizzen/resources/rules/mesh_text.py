"""The settings of the mesh in the ConfigMap that Istio's charts make of them: `istio` of istio-system, key `mesh`."""

from functools import lru_cache

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.resources.declaring.compile import decoder_of
from mizzen.resources.declaring.declare import Unknown
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.mesh import MeshConfig
from mizzen.resources.kubernetes.core import ConfigMap
from mizzen.resources.yaml.construct import Broken, construct

NAME, NAMESPACE, KEY = "istio", "istio-system", "mesh"
_AT = f"data.{KEY}"


def validate_mesh_text(config_map: ConfigMap, found: Findings) -> None:
    """What is wrong with the settings, if it is this ConfigMap. Of fields without effect it is a note: charts write them."""
    if not is_of_mesh(config_map.key):
        return
    for problem in _read(config_map.data.get(KEY, ""))[1]:
        severity = problem.severity if problem.severity is Severity.ERROR else Severity.INFO
        inside = problem.field.removeprefix(f"{KEY}.").removeprefix(KEY)
        where = f"{inside}: " if inside else ""
        found.add(severity, problem.code, _AT, f"{where}{problem.message}", problem.hint)


def mesh_of(config_map: ConfigMap | None) -> MeshConfig | None:
    """The settings that it has; None where there are none."""
    return _read(config_map.data.get(KEY, ""))[0] if config_map is not None else None


def is_of_mesh(key: tuple[str, str]) -> bool:
    """Is it the ConfigMap of that (namespace, name)?"""
    return key == (NAMESPACE, NAME)


@lru_cache(maxsize=16)
def _read(text: str) -> tuple[MeshConfig | None, tuple[Problem, ...]]:
    found = Findings(ResourceRef(kind=ConfigMap.__name__))
    try:
        documents = construct(text) if text.strip() else []
    except Broken as broken:
        found.error("FLD-002", KEY, f"line {broken.line}: this cannot be read as YAML: {broken.message}")
        return None, found.all()
    if not documents or documents[0].value is None:
        return None, ()
    decoded = decoder_of(MeshConfig, Unknown.WARN)(documents[0].value, KEY, found)
    return decoded if isinstance(decoded, MeshConfig) and not found.refused else None, found.all()
