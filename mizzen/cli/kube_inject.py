"""`mizzen kube-inject`: injection without a webhook, for whoever wants to see it or has none."""

import sys
from pathlib import Path
from typing import Any

import click
import yaml

from mizzen.inject.container import Manifest, ProxySettings
from mizzen.inject.decide import why_not
from mizzen.inject.pod import Unfit, injected
from mizzen.inject.settings import VALUES_KEY, InjectorSettings, SettingsError, settings_of
from mizzen.install.changes import as_yaml

# Where the Pod is in what has one.
_TEMPLATES = {
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"),
        ("spec", "template"),
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
_LOCAL_PILOT = "istiod.istio-system.svc:15012"


@click.command("kube-inject")
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    required=True,
    metavar="FILE",
    help="YAML to read; - for standard input. Repeatable.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write.  [default: standard output]",
)
@click.option("-r", "--revision", default="default", show_default=True, help="Of the control plane.")
@click.option("--hub", default="", help="Where the image is: HUB/mizzen:TAG.")
@click.option("--tag", default="", help="Its tag.")
@click.option(
    "--valuesFile",
    "values",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The JSON of the ConfigMap istio-sidecar-injector (key values), in the place of --hub and --tag.",
)
@click.option(
    "--native/--no-native",
    default=True,
    show_default=True,
    help="Native sidecars (Kubernetes 1.33 or later).",
)
def command(
    files: tuple[str, ...],
    output: Path | None,
    revision: str,
    hub: str,
    tag: str,
    values: Path | None,
    native: bool,
) -> None:
    """Print the manifests with a sidecar in every Pod; what has no Pod stays as it is."""
    settings = _settings(revision, hub, tag, values)
    made = [_injected(one, settings, native) for name in files for one in _read(name)]
    text = "---\n".join(as_yaml(one) for one in made)
    if output:
        output.write_text(text)
    else:
        click.echo(text, nl=False)


def _settings(revision: str, hub: str, tag: str, values: Path | None) -> InjectorSettings:
    service = "istiod" if revision == "default" else f"istiod-{revision}"
    pilot = _LOCAL_PILOT.replace("istiod", service, 1)
    if values is not None:
        try:
            return settings_of(values.read_text(), pilot=pilot, trust_domain="cluster.local")
        except SettingsError as error:
            raise click.ClickException(f"{values}: {error}") from None
    if not (hub and tag):
        raise click.UsageError(
            f"Say --hub and --tag, or --valuesFile (the key {VALUES_KEY!r} of istio-sidecar-injector)."
        )
    return InjectorSettings(proxy=ProxySettings(image=f"{hub}/mizzen:{tag}", pilot=pilot), revision=revision)


def _read(name: str) -> list[Manifest]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text()
        documents = [one for one in yaml.safe_load_all(text) if one is not None]
    except OSError as error:
        raise click.ClickException(f"{name} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise click.ClickException(f"{name} cannot be read as YAML: {error}") from None
    for one in documents:
        if not isinstance(one, dict):
            raise click.ClickException(f"{name}: a document is no object")
    return documents


def _injected(manifest: Manifest, settings: InjectorSettings, native: bool) -> Manifest:
    kind = manifest.get("kind")
    if kind == "List":
        return {
            **manifest,
            "items": [_injected(one, settings, native) for one in manifest.get("items") or ()],
        }
    path = _TEMPLATES.get(str(kind))
    if path is None:
        return manifest
    meta = manifest.get("metadata") or {}
    namespace = meta.get("namespace") or "default"
    try:
        return _within(manifest, path, lambda pod: _pod(pod, str(kind), meta, namespace, settings, native))
    except Unfit as error:
        raise click.ClickException(f"{kind}/{namespace}/{meta.get('name')}: {error}") from None
    except (KeyError, TypeError, AttributeError):
        raise click.ClickException(f"{kind}/{namespace}/{meta.get('name')} has no proper Pod") from None


def _pod(
    pod: Manifest, kind: str, meta: Manifest, namespace: str, settings: InjectorSettings, native: bool
) -> Manifest:
    if why := why_not(pod, namespace):
        click.echo(f"{kind}/{namespace}/{meta.get('name')} stays as it is: {why}", err=True)
        return pod
    named = (
        pod
        if kind == "Pod"
        else {**pod, "metadata": {**(pod.get("metadata") or {}), "name": meta.get("name")}}
    )
    made = injected(named, namespace=namespace, settings=settings, native=native)
    if kind != "Pod":
        made["metadata"].pop("name")
    return made


def _within(manifest: Manifest, path: tuple[str, ...], change: Any) -> Manifest:
    if not path:
        return dict(change(manifest))
    return {**manifest, path[0]: _within(manifest[path[0]], path[1:], change)}
