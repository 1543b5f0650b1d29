"""An IstioOperator -> everything that is to be in the cluster, in the order in which it is applied."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from mizzen.errors import Problem
from mizzen.inject.container import Manifest
from mizzen.install.control_plane import config_maps, control_plane
from mizzen.install.gateways import Installed, gateway_access, gateway_workload, gateways
from mizzen.install.overlays import OverlayError, overlaid
from mizzen.install.rbac import cluster_rights, own_rights, secrets_of_gateways
from mizzen.install.site import (
    BASE,
    COMPONENT,
    MANAGED_BY,
    OWNER,
    OWNER_NAMESPACE,
    PILOT,
    REVISION,
    Site,
    component_of,
)
from mizzen.install.webhooks import injector, validator
from mizzen.resources.istio.operator import IstioOperator, ManifestOverlay


class Unfit(Exception):
    """An overlay that cannot be applied; `problem` says which."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def manifests(
    operator: IstioOperator,
    mesh: Mapping[str, Any],
    *,
    version: str,
    crds: tuple[Manifest, ...] = (),
) -> tuple[Manifest, ...]:
    """Every manifest: CRDs and namespaces, the control plane, then gateways. Same arguments, same bytes.

    `mesh`: spec.meshConfig as it is written. `version`: of mizzen; also the tag of the image where none is said.

    Raises:
        Unfit: when an overlay fits nothing.
    """
    site = Site(operator=operator, mesh=mesh, version=version.replace("+", "-"))
    components = operator.spec.components
    wanted = gateways(site)
    found: list[Manifest] = []
    if components.base.enabled is not False:
        found += [_shared(crd) for crd in crds]
    found += [_namespace(name) for name in _namespaces(site, wanted)]
    if components.base.enabled is not False:
        found += _overlaid(
            site, secrets_of_gateways(site, (one.namespace for one in wanted)), components.base
        )
    if components.pilot.enabled is not False:
        found += _overlaid(site, _pilot(site), components.pilot)
    for gateway in wanted:
        own = (*gateway_access(site, gateway), *gateway_workload(site, gateway))
        found += _overlaid(site, own, gateway.said)
    return tuple(found)


def _pilot(site: Site) -> tuple[Manifest, ...]:
    webhooks = (injector(site), validator(site))
    return (
        site.manifest("ServiceAccount", site.pilot, component=PILOT),
        *cluster_rights(site, webhooks),
        *own_rights(site),
        *config_maps(site),
        *control_plane(site),
        *webhooks,
    )


def _overlaid(site: Site, made: tuple[Manifest, ...], component: Any) -> tuple[Manifest, ...]:
    overlays: tuple[ManifestOverlay, ...] = component.k8s.overlays
    if not overlays:
        return made
    try:
        found = overlaid(made, overlays)
        if [*map(_identity, found)] != [*map(_identity, made)]:
            at = f"{component.at}.k8s.overlays"
            raise OverlayError(f"{at}: an overlay cannot change by what name and labels a manifest is known")
        return found
    except OverlayError as error:
        field, _, message = str(error).partition(": ")
        raise Unfit(
            Problem(code="INS-003", resource=site.operator.ref, field=field, message=message)
        ) from None


def _identity(manifest: Manifest) -> tuple[Any, ...]:
    """What an installation finds its objects by; it must outlive every overlay."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("labels"), dict):
        return ()
    names = (
        manifest.get("apiVersion"),
        manifest.get("kind"),
        metadata.get("name"),
        metadata.get("namespace"),
    )
    known = (MANAGED_BY, OWNER, OWNER_NAMESPACE, REVISION, COMPONENT)
    return (*names, *(metadata["labels"].get(label) for label in known))


def _namespaces(site: Site, wanted: Iterable[Installed]) -> list[str]:
    return list(dict.fromkeys([site.namespace, *(gateway.namespace for gateway in wanted)]))


def _namespace(name: str) -> Manifest:
    """Without labels of an installation: it may be older, and stays when everything else goes."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {COMPONENT: BASE}}}


def _shared(crd: Manifest) -> Manifest:
    """A CRD is of no revision: all use it."""
    labels = {**crd["metadata"].get("labels", {}), MANAGED_BY: "mizzen", COMPONENT: BASE}
    return {**crd, "metadata": {**crd["metadata"], "labels": labels}}


def stages(made: tuple[Manifest, ...]) -> tuple[tuple[str, tuple[Manifest, ...]], ...]:
    """(component, its manifests), in order: each is waited for before the next is applied."""
    by_component = itertools.groupby(made, key=component_of)
    gathered: dict[str, tuple[Manifest, ...]] = {}
    for component, group in by_component:
        gathered[component] = (*gathered.get(component, ()), *group)
    return tuple(gathered.items())
