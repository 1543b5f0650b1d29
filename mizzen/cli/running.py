"""Finding a running instance and one of its gateways, for the verbs that speak to it."""

from pathlib import Path

import click

from mizzen.node import instance as running
from mizzen.node.instance import Instance
from mizzen.status import Status


def status(run_dir: Path) -> Status:
    """The status of the instance with that run-dir; a clear error when none runs there."""
    try:
        return running.status(Instance(run_dir))
    except OSError as error:
        raise click.ClickException(
            f"no mizzen answers in {run_dir} ({error.strerror or error}). "
            "Start one with 'mizzen up', name its folder with --run-dir, or a cluster with --kubeconfig or --context."
        ) from None


def gateway_key(found: list[str], wanted: str | None, sidecars: frozenset[str] = frozenset()) -> str:
    """The gateway meant by NAME, NAME.NAMESPACE or deploy/NAME[.NAMESPACE].

    Without a name it is the only one, or the only one that is none of the `sidecars`.
    """
    names = ", ".join(found) or "none"
    if wanted is None:
        for only in (found, [key for key in found if key not in sidecars]):
            if len(only) == 1:
                return only[0]
        raise click.ClickException(f"name a gateway, one of: {names}")
    bare = wanted.rpartition("/")[2]
    matching = [key for key in found if bare == key or key.startswith(f"{bare}.")]
    if len(matching) == 1:
        return matching[0]
    raise click.ClickException(f"no gateway is called {wanted!r}; there is: {names}")


def admin(run_dir: Path, key: str, target: str) -> str:
    """Ask the Envoy of a gateway over its admin socket."""
    path = Instance(run_dir).admin_socket(key)
    try:
        code, body = running.get(path, target, timeout=20)
    except OSError as error:
        raise click.ClickException(f"the Envoy of {key} does not answer: {error.strerror or error}") from None
    if code != 200:
        raise click.ClickException(f"the Envoy of {key} answered {code} to {target}")
    return body.decode()
