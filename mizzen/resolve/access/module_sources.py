"""Where the modules of plugins are to be fetched (`http://`, `https://`, `oci://`), and what was fetched there.

Nothing is fetched here: what somebody has fetched comes in by the key of its source (`Context.modules`).
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mizzen.model.plugin import ModuleSource
from mizzen.persistent import PersistentMap
from mizzen.resolve.context import Context, FetchedModule, Switches
from mizzen.resources.formats import web_address
from mizzen.resources.formats.image_reference import ImageReference, image_reference
from mizzen.resources.formats.registry_credentials import KEY, RegistryCredentials, registry_credentials
from mizzen.resources.istio.extension import TrafficExtension, WasmPlugin, WasmSettings
from mizzen.resources.world import World

Extension = WasmPlugin | TrafficExtension
OCI = "oci://"
_VIEW = "modules"


def publish_modules(ctx: Context) -> None:
    """Let steps look up what has been fetched. To be called by the root of a resolution."""
    fetched = ctx.modules
    ctx.steps.views[_VIEW] = None if fetched is None else ctx.steps.published(_VIEW, PersistentMap(fetched))


def fetched_modules(ctx: Context) -> Mapping[str, FetchedModule] | None:
    """By key of their source; None where nobody fetches them."""
    found: Mapping[str, FetchedModule] | None = ctx.steps.views.get(_VIEW)
    return found


def wasm_of(extension: Extension) -> WasmSettings | None:
    return extension.spec if isinstance(extension, WasmPlugin) else extension.spec.wasm


def address_of(wasm: WasmSettings) -> str:
    """An address without a scheme is that of an image."""
    return wasm.url if "://" in wasm.url else f"{OCI}{wasm.url}"


def module_source(
    world: World, extension: Extension, wasm: WasmSettings, switches: Switches
) -> ModuleSource | str:
    """The source of a plugin's module that is no file of a machine; or why there cannot be one."""
    url = address_of(wasm)
    source = ModuleSource(url=url, sha256=wasm.sha256.lower(), blocked=switches.module_networks_blocked)
    if not url.startswith(OCI):
        wrong = web_address.fault(url)
        return wrong or _newest(source, extension, is_wanted=not wasm.sha256)
    image = image_reference(url.removeprefix(OCI))
    if isinstance(image, str):
        return image
    if wasm.image_pull_secret:
        known = _credentials(world, extension.namespace, wasm.image_pull_secret, image.registry)
        source = replace(source, secret=f"{extension.namespace}/{wasm.image_pull_secret}")
        if isinstance(
            known, str
        ):  # it may be read later than the plugin, after a restart: what was had runs on
            source = replace(source, trouble=known)
        else:
            source = replace(source, authorization=known.authorization)
    return _newest(source, extension, is_wanted=_always(wasm, image))


def _always(wasm: WasmSettings, image: ImageReference) -> bool:
    """As Istio has it: what a digest names never changes; `latest` is asked for unless it shall not be."""
    if wasm.sha256 or image.digest:
        return False
    if wasm.image_pull_policy == "UNSPECIFIED_POLICY":
        return image.tag == "latest"
    return wasm.image_pull_policy == "Always"


def _newest(source: ModuleSource, extension: Extension, *, is_wanted: bool) -> ModuleSource:
    if not is_wanted:
        return source
    stated = hashlib.sha256(repr(extension.spec).encode("utf-8", "replace")).hexdigest()
    return replace(source, newest_for=(f"{extension.ref} {stated}",))


def _credentials(world: World, namespace: str, name: str, registry: str) -> RegistryCredentials | str:
    secret = world.secret_by_key.get((namespace, name))
    if secret is None:
        return f"there is no Secret {name!r} (imagePullSecret) in {namespace}, the namespace of the plugin"
    if KEY not in secret.data:
        return f"the Secret {namespace}/{name} (imagePullSecret) holds no {KEY}: its type is to be kubernetes.io/dockerconfigjson"
    known = registry_credentials(secret.data[KEY], registry)
    return (
        f"the Secret {namespace}/{name} (imagePullSecret) is of no use: {known}"
        if isinstance(known, str)
        else known
    )


def module_sources(world: World, switches: Switches, first: str = "") -> tuple[ModuleSource, ...]:
    """Those of all plugins for requests, the older before; plugins that have one in common share it. Those of the namespace
    `first` come before others: where there are too many, a tenant takes no room of the mesh's own guards."""
    found: dict[str, ModuleSource] = {}
    for source in _all(world, switches, first):
        if (known := found.get(source.key)) is not None:
            newest = tuple(sorted({*known.newest_for, *source.newest_for}))
            source = replace(source, newest_for=newest)  # the same, for both
        found[source.key] = source
    return tuple(found.values())


def _all(world: World, switches: Switches, first: str) -> Iterator[ModuleSource]:
    extensions: tuple[Extension, ...] = (*world.wasm_plugins, *world.traffic_extensions)
    for extension in sorted(extensions, key=lambda extension: extension.namespace != first):
        wasm = wasm_of(extension)
        if wasm is None or wasm.type == "NETWORK" or wasm.url.startswith("file://"):
            continue
        source = module_source(world, extension, wasm, switches)
        if isinstance(source, ModuleSource):
            yield source
