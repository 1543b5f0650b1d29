"""The mesh's configuration as its ConfigMap has it, and what is in force of it. Pure.

A broken edit leaves in force what was read last. Where nothing was ever read the settings are not known, which is not
the same as that nobody wrote any: then nothing may be served by them.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mizzen.errors import Problem, ResourceRef
from mizzen.kube.client import Json
from mizzen.lazy import dataclass
from mizzen.resources.kinds import KINDS, group_of
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.yaml.construct import Broken, construct

KEY = "mesh"  # in the data of the ConfigMap
_KIND = "IstioOperator"  # how the rest of mizzen reads it


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshText:
    """What one version of the ConfigMap says."""

    text: str
    settings: Mapping[str, Any] | None = field(compare=False)  # None: it cannot be read
    wrong: str = ""  # why not

    @classmethod
    def of(cls, config_map: Json) -> "MeshText":
        """Of the ConfigMap as the API server has it."""
        text = str((config_map.get("data") or {}).get(KEY) or "")
        try:
            documents = construct(text) if text.strip() else []
        except Broken as broken:
            wrong = f"line {broken.line + 1}: this cannot be read as YAML: {broken.message}"
            return cls(text=text, settings=None, wrong=wrong)
        value = documents[0].value if documents else None
        if value is not None and not isinstance(value, dict):
            return cls(text=text, settings=None, wrong="line 1: the settings of the mesh are no mapping")
        return cls(text=text, settings=value or {})


@dataclass(slots=True)
class Mesh:
    """Follows the ConfigMap."""

    namespace: str
    name: str  # of the ConfigMap
    problem: Problem | None = None
    objects: tuple[
        RawObject, ...
    ] = ()  # the settings in force, as an IstioOperator; () where they are not known
    _has_read: bool = False

    def __post_init__(self) -> None:
        self.objects = (self._operator({}),)  # without a ConfigMap

    def hear(self, text: MeshText | None) -> None:
        """The next version; None: the ConfigMap is gone, and what was in force stays so."""
        self.problem = None
        if text is not None and text.settings is None:
            self.problem = self._problem(text.wrong, is_known=self._has_read)
            self.objects = self.objects if self._has_read else ()
        elif text is not None or not self.objects:
            settings = text.settings if text else None
            self.objects = (self._operator(settings or {}),)
            self._has_read = text is not None

    def _problem(self, wrong: str, *, is_known: bool) -> Problem:
        if is_known:
            ref = ResourceRef(kind="ConfigMap", namespace=self.namespace, name=self.name)
            hint = "The settings that were read last stay in force."
            return Problem(code="K8S-004", resource=ref, field=f"data.{KEY}", message=wrong, hint=hint)
        return Problem(
            code="K8S-004",
            resource=self._ref(),
            message=f"data.{KEY} of the ConfigMap {self.namespace}/{self.name}, {wrong}",
            hint="No earlier version is known: nothing is served by settings that nobody has read.",
        )

    def _ref(self) -> ResourceRef:
        group = group_of(_KIND, KINDS[_KIND].api_version)
        return ResourceRef(kind=_KIND, group=group, namespace=self.namespace, name=self.name)

    def _operator(self, settings: Mapping[str, Any]) -> RawObject:
        api_version = KINDS[_KIND].api_version
        data = {
            "apiVersion": api_version,
            "kind": _KIND,
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {"meshConfig": settings},
        }
        return RawObject(
            kind=_KIND,
            api_version=api_version,
            namespace=self.namespace,
            name=self.name,
            data=data,
            ref=self._ref(),
            digest=f"mesh/{settings!r}",
        )
