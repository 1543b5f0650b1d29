"""What a control plane serves, for who compares it with something else: the objects themselves, and how they are read.

Secrets are among them: it is told to whom the key of the instance is known (`node.control_socket`), and kept nowhere.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Any

from mizzen.lazy import dataclass
from mizzen.pipeline import Settings
from mizzen.plane.build_result import Made
from mizzen.plane.effects import Promises
from mizzen.resolve.context import ByService, ExternalPorts, FileFolders, UnixFolders
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.stored_objects import object_of, stored_object

Json = dict[str, Any]
# Of the environment only what switches something is told.
_SWITCH = re.compile(r"(PILOT|ISTIO|MIZZEN|ENABLE|BLOCKED_CIDRS|JWKS)_[A-Z0-9_]+")
_ASIDE = "Envoy does not take it: it is set aside"
_FAMILIES = frozenset({"unknown", "v4", "v6", "both"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What is served."""

    objects: tuple[RawObject, ...] = field(default=(), repr=False)
    registered: tuple[RawObject, ...] = ()  # of these, workloads that joined and are in no file
    settings: Settings = field(default_factory=Settings)
    is_local: bool = True  # the proxies are on its machine
    # Until when clients may remember what was promised: (gateway as they know it, announcement).
    remembered: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    # Key of the proxy -> route table -> whether it is told host by host.
    scoped: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)


def told(
    made: Made, promises: Promises, aside: frozenset[str], registered: frozenset[str], *, is_local: bool
) -> Callable[[], Json]:
    """What gives it as JSON values, wherever there is time for it: objects of files are read from their texts once more.
    By their digests: `aside`, objects that Envoy does not take; `registered`, those that are in no file."""

    def value() -> Json:
        return {
            "objects": [
                {**_object(raw), "aside": raw.digest in aside, "registered": raw.digest in registered}
                for raw in made.objects
            ],
            "settings": _settings(made.settings),
            "isLocal": is_local,
            "remembered": _remembered(promises),
            "scoped": {key: dict(one.config.scoped) for key, one in made.gateways.items()},
        }

    return value


def _object(raw: RawObject) -> Json:
    start = raw.ref.place()
    stored = stored_object(raw, {"": (start.line, start.column)} if start.line else {})
    raw.forget_data()  # nobody else has asked for it
    return stored


def _remembered(promises: Promises) -> Json:
    found: dict[str, dict[str, str]] = {}
    for (called, name), server in sorted(promises.items()):
        if (until := server.promised_until) is not None:
            found.setdefault(called, {})[name] = until.isoformat()
    return found


def _settings(settings: Settings) -> Json:
    ports = settings.external_ports
    return {
        "environment": {key: text for key, text in settings.environment.items() if _SWITCH.fullmatch(key)},
        "externalPorts": ports.value if isinstance(ports, ByService) else [list(pair) for pair in ports],
        "defaultNamespace": settings.default_namespace,
        "sidecars": sorted(settings.sidecars),
        "routers": sorted(settings.routers) if settings.routers is not None else None,
        "unixFolders": [settings.unix_folders.allowed, settings.unix_folders.closed],
        "certificateFolders": [settings.certificate_folders.allowed, settings.certificate_folders.closed],
        "families": settings.families,
    }


def from_json(value: Mapping[str, Any]) -> Configuration:
    """ValueError, TypeError, KeyError, AttributeError: it is not what `told` gives."""
    said = value["settings"]
    objects = tuple(map(_read, value["objects"]))
    return Configuration(
        objects=objects,
        registered=tuple(
            raw for raw, one in zip(objects, value["objects"], strict=True) if one["registered"]
        ),
        settings=Settings(
            environment={str(key): str(text) for key, text in said["environment"].items()},
            external_ports=_external_ports(said["externalPorts"]),
            default_namespace=str(said["defaultNamespace"]),
            sidecars=frozenset(map(str, said["sidecars"])),
            routers=frozenset(map(str, said["routers"])) if said["routers"] is not None else None,
            unix_folders=UnixFolders(**_folders(said["unixFolders"])),
            certificate_folders=FileFolders(**_folders(said["certificateFolders"])),
            families=said["families"] if said["families"] in _FAMILIES else "unknown",
        ),
        is_local=bool(value["isLocal"]),
        remembered={
            (str(called), str(name)): datetime.fromisoformat(at)
            for called, some in value["remembered"].items()
            for name, at in some.items()
        },
        scoped={
            str(key): {str(table): is_scoped is True for table, is_scoped in tables.items()}
            for key, tables in value["scoped"].items()
        },
    )


def _read(stored: Mapping[str, Any]) -> RawObject:
    raw = object_of({key: one for key, one in stored.items() if key not in ("aside", "registered")})
    return replace(raw, unread=_ASIDE) if stored["aside"] else raw


def _external_ports(said: Any) -> ExternalPorts:
    if isinstance(said, str):
        return ByService(said)
    return tuple((int(dialled), int(bound)) for dialled, bound in said)


def _folders(said: Any) -> dict[str, tuple[str, ...]]:
    allowed, closed = said
    return {"allowed": tuple(map(str, allowed)), "closed": tuple(map(str, closed))}
