"""Starts `mizzen up` as its users do, on YAML that a test writes, and stops it again."""

import base64
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mizzen.demo import certificates
from mizzen.node import instance as running
from mizzen.node.instance import Instance

HOST = "shop.test"
START_SECONDS = 20.0


def now() -> datetime:
    return datetime.now(UTC)


def free_port() -> int:
    """A TCP port that nobody has at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Authority:
    """A root of the test's own, and server certificates of it."""

    def __init__(self) -> None:
        self.pair = certificates.authority("Test", now())
        self.pem = self.pair.certificate.decode()

    def server(self, host: str = HOST) -> certificates.KeyPair:
        return certificates.server(host, self.pair, now())


def secret(name: str, pair: certificates.KeyPair, namespace: str = "istio-system", ca: str = "") -> str:
    """A Secret of type kubernetes.io/tls."""
    lines = {"tls.crt": pair.certificate, "tls.key": pair.key, **({"ca.crt": ca.encode()} if ca else {})}
    data = "".join(f"  {key}: {base64.b64encode(value).decode()}\n" for key, value in lines.items())
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
        f"type: kubernetes.io/tls\ndata:\n{data}"
    )


def gateway(
    host: str = HOST, *, name: str = "shop", credential: str = "shop-tls", mode: str = "SIMPLE"
) -> str:
    """A Gateway with one HTTPS server on 443."""
    return textwrap.dedent(f"""\
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata:
          name: {name}
          namespace: istio-system
        spec:
          selector:
            istio: ingressgateway
          servers:
          - port:
              number: 443
              name: https-{name}
              protocol: HTTPS
            hosts:
            - "{host}"
            tls:
              mode: {mode}
              credentialName: {credential}
        """)


def route(
    host: str = HOST, *, name: str = "shop", header: str = "1", port: int = 0, gateway_name: str = "shop"
) -> str:
    """A VirtualService: to the backend on `port`, or answered by the gateway itself; x-version says which."""
    action = (
        "route:\n    - destination:\n        host: backend.test"
        if port
        else "directResponse:\n      status: 200\n      body:\n        string: hello"
    )
    return textwrap.dedent("""\
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata:
          name: {name}
          namespace: istio-system
        spec:
          hosts:
          - "{host}"
          gateways:
          - {gateway_name}
          http:
          - headers:
              response:
                set:
                  x-version: "{header}"
            {action}
        """).format(name=name, host=host, header=header, gateway_name=gateway_name, action=action)


def backend(port: int) -> str:
    """A ServiceEntry for something that listens on this machine."""
    return textwrap.dedent(f"""\
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata:
          name: backend
          namespace: istio-system
        spec:
          hosts:
          - backend.test
          location: MESH_INTERNAL
          resolution: STATIC
          ports:
          - number: 80
            name: http
            protocol: HTTP
          endpoints:
          - address: 127.0.0.1
            ports:
              http: {port}
        """)


def replace_file(path: Path, text: str) -> None:
    """As editors and git do: a new file in the place of the old one."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    beside.replace(path)


class Up:
    """One running `mizzen up`."""

    def __init__(
        self,
        folder: Path,
        run_dir: Path,
        *options: str,
        environment: Mapping[str, str] | None = None,
        before_exec: Callable[[], None] | None = None,
    ) -> None:
        self.instance = Instance(run_dir)
        self.output = ""
        command = [
            sys.executable,
            "-m",
            "mizzen",
            "up",
            "-f",
            str(folder),
            "--run-dir",
            str(run_dir),
            "--wait",  # tests write their files later, too
            *options,
        ]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            preexec_fn=before_exec,
        )

    def read(self, seconds: float = 0.0) -> str:
        """Everything printed so far."""
        assert self.process.stdout
        while select.select([self.process.stdout], [], [], seconds)[0]:
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                break
            self.output += chunk.decode()
            seconds = 0.0
        return self.output

    def wait_ready(self, seconds: float | None = None) -> None:
        """Until it says that it serves; at most START_SECONDS where nobody says how long."""
        deadline = time.monotonic() + (START_SECONDS if seconds is None else seconds)
        while "ready" not in self.read(0.05):
            assert self.process.poll() is None, f"mizzen up ended: {self.read(0.2)}"
            assert time.monotonic() < deadline, f"mizzen up is not ready: {self.output}\n{self.logs()}"

    def logs(self) -> str:
        found = sorted((self.instance.run_dir / "logs").glob("*"))
        return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in found)

    def status(self) -> dict[str, Any]:
        return running.status(self.instance).to_json()

    def mizzen(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another verb on this instance."""
        return subprocess.run(
            [sys.executable, "-m", "mizzen", *arguments, "--run-dir", str(self.instance.run_dir)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self.read()
            assert self.process.stdout
            self.process.stdout.close()
        assert "INT-006" not in self.output, "a build from memory was not what follows from the objects"
        return self.process.returncode


@contextlib.contextmanager
def up(
    folder: Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
    before_exec: Callable[[], None] | None = None,
) -> Iterator[Up]:
    """`mizzen up` on a folder, until the block ends. Its run-dir has a short name: Unix sockets need that."""
    with tempfile.TemporaryDirectory(prefix="mz-") as run_dir:
        one = Up(folder, Path(run_dir), *options, environment=environment, before_exec=before_exec)
        try:
            one.wait_ready()
            yield one
        finally:
            one.stop()


def eventually(check: Any, seconds: float = 10.0) -> Any:
    """The first true result of `check`, asked every few milliseconds."""
    deadline = time.monotonic() + seconds
    while not (result := check()):
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s: {check}"
        time.sleep(0.01)
    return result
