"""`mizzen up`: a supervisor, told what to run, and what its user is shown meanwhile."""

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from mizzen.http3.server_ids import VARIABLE
from mizzen.lazy import dataclass
from mizzen.node.console import NOW, SAID
from mizzen.node.hang_detection import PATIENCE_SECONDS
from mizzen.node.instance import Instance
from mizzen.node.ports import families
from mizzen.node.supervisor import Command, Plan, StartFailed, Supervisor, supervise
from mizzen.proxy.binary import envoy_binary
from mizzen.status import ListenerStatus, Status

CONTROL_PLANE = "control plane"
UNSERVED = "GW-005"  # no gateway has the labels that a Gateway asks for
NO_GATEWAY = "there is no gateway to serve; one that is declared is taken up at once"

Echo = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """What to serve, in the words of the command line."""

    instance: Instance
    arguments: tuple[str, ...]  # -f, -n and --external-port again
    stdin: bytes | None = None  # what "-f -" read; there is only one standard input
    helpers: tuple[Command, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)  # switches for the control plane
    patience: float = PATIENCE_SECONDS  # with a process that does not answer
    waits: bool = False  # goes on where there is nothing to serve


def serve(
    up: Up,
    echo: Echo,
    then: Callable[[Supervisor, Status], None] | None = None,
) -> None:
    """Run until a signal. `echo` takes each line for the user; `then` is called once all gateways serve.

    Raises:
        StartFailed: when it cannot serve here; the text says why.
    """
    teller = _Teller(echo)
    failure: list[str] = []

    def on_ready(status: Status) -> None:
        if taken := [one for one in status.problems if one.code == "PORT-001"]:
            failure.extend(f"{one.origin}: {one.message}. {one.hint}".strip() for one in taken)
            supervisor[0].stop()
            return
        if not up.waits and not _is_serving(status):
            teller.tell()
            failure.append(nothing_served(status))
            supervisor[0].stop()
            return
        teller.on_ready(status)
        if then:
            then(supervisor[0], status)

    supervisor: list[Supervisor] = []

    def make() -> Supervisor:
        supervisor.append(Supervisor(_plan(up), on_ready=on_ready, on_line=teller.on_line))
        return supervisor[0]

    supervise(make)
    if failure:
        raise StartFailed("\n".join(failure))


def _plan(up: Up) -> Plan:
    argv = [sys.executable, "-m", "mizzen", "_control-plane", "--run-dir", str(up.instance.run_dir)]
    descriptors: tuple[int, ...] = ()
    if up.stdin is not None:
        memory = os.memfd_create("stdin")  # it may hold Secrets, which never touch the disk
        os.write(memory, up.stdin)
        descriptors = (memory,)
        argv += ["--stdin-fd", str(memory)]
    return Plan(
        bind="::" if families() == "v6" else "0.0.0.0",
        instance=up.instance,
        control_plane=Command(
            name=CONTROL_PLANE,
            argv=(*argv, *up.arguments),
            environment={"PYTHONUNBUFFERED": "1", **up.environment},
            pass_fds=descriptors,
        ),
        envoy=envoy_binary(),
        helpers=up.helpers,
        patience=up.patience,
        server_id=os.environ.get(VARIABLE, ""),
    )


class _Teller:
    """Shows what the control plane says, after the line that tells that everything serves."""

    def __init__(self, echo: Echo) -> None:
        self._echo = echo
        self._waiting: list[str] | None = []

    def on_line(self, name: str, line: str) -> None:
        if name != CONTROL_PLANE or not line.startswith(SAID):
            return
        text = line.removeprefix(SAID).rstrip("\n")
        if self._waiting is None or text.startswith(NOW):
            with contextlib.suppress(
                OSError
            ):  # nobody reads it, or it goes to a full disk: that ends nothing
                self._echo(text.removeprefix(NOW))
        else:
            self._waiting.append(text)

    def on_ready(self, status: Status) -> None:
        self._echo(ready_line(status))
        self.tell()

    def tell(self) -> None:
        """What has been held back, and from now on everything at once."""
        for text in self._waiting or ():
            self._echo(text)
        self._waiting = None


def _is_serving(status: Status) -> bool:
    return any(one.listeners for one in status.gateways.values())


def nothing_served(status: Status) -> str:
    """Why nothing is served, and what to do."""
    unserved = [one for one in status.problems if one.code == UNSERVED]
    wrong = sum(one.severity == "error" for one in status.problems)
    if unserved:
        first = unserved[0]
        why = f"{first.origin}: {first.resource}: {first.message}. {first.hint}"
    elif wrong:
        why = f"{'what is wrong with it is' if wrong == 1 else f'the {wrong} errors are'} told above; mend that first."
    else:
        labels = (" ".join(f"{key}={value}" for key, value in one.labels.items()) for one in status.proxies)
        gateways = "; ".join(
            f"{one.key} ({shown})" for one, shown in zip(status.proxies, labels, strict=True)
        )
        has = f"There is the gateway {gateways}." if gateways else "There is no gateway either."
        why = f"no Gateway (or Ingress) opens a port. {has} Write a Gateway whose selector has some of its labels."
    return f"not ready, since nothing is served: {why}\nWith --wait it stays, and serves what comes."


def ready_line(status: Status) -> str:
    """What is served where: "ready: istio-ingressgateway.istio-system serves 0.0.0.0:8443 (TCP, HTTP/3)"."""
    parts = [f"{key} serves {places(one.listeners)}" for key, one in sorted(status.gateways.items())]
    return "ready: " + ("; ".join(parts) or NO_GATEWAY)


def places(listeners: Sequence[ListenerStatus]) -> str:
    """Addresses with what is spoken there."""
    spoken: dict[str, list[str]] = {}
    for one in listeners:
        host = f"[{one.address}]" if ":" in one.address and one.port else one.address
        where = f"{host}:{one.port}" if one.port else host
        spoken.setdefault(where, []).append("HTTP/3" if one.transport == "quic" else "TCP")
    return ", ".join(f"{where} ({', '.join(words)})" for where, words in spoken.items()) or "nothing yet"
