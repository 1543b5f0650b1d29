"""What the injector is told: by the installation (ConfigMap istio-sidecar-injector), and by the mesh."""

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from mizzen.inject.container import ProxySettings
from mizzen.lazy import dataclass
from mizzen.resources.istio.mesh import ProxyConfig

# Of a namespace and the labels of a Pod: how its proxy shall behave, but for its own annotation.
Configure = Callable[[str, Mapping[str, str]], ProxyConfig]

VALUES_KEY = "values"


class SettingsError(ValueError):
    """The values cannot be read; the message is a sentence for users."""


def _unconfigured(_: str, __: Mapping[str, str]) -> ProxyConfig:
    return ProxyConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectorSettings:
    """For every Pod that is injected."""

    proxy: ProxySettings
    revision: str = "default"
    pull_secrets: tuple[str, ...] = ()
    cluster_id: str = "Kubernetes"
    init_resources: Mapping[str, Any] = field(default_factory=dict)
    configure: Configure = _unconfigured


def settings_of(
    values: str, *, pilot: str, trust_domain: str, configure: Configure = _unconfigured
) -> InjectorSettings:
    """Of the JSON that the installation wrote. `pilot`: HOST:PORT of the control plane. Raises SettingsError."""
    try:
        said = json.loads(values)
        common = said["global"]
        return InjectorSettings(
            proxy=ProxySettings(
                image=f"{common['hub']}/mizzen:{common['tag']}",
                pilot=pilot,
                trust_domain=trust_domain,
                pull_policy=str(common.get("imagePullPolicy") or ""),
                resources=dict((common.get("proxy") or {}).get("resources") or {}),
            ),
            revision=str(said.get("revision") or "default"),
            pull_secrets=tuple(map(str, common.get("imagePullSecrets") or ())),
            configure=configure,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"the injector's values cannot be read: {error!r}") from None
