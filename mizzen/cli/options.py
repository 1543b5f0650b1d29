"""Options that several commands share, and what they mean."""

import functools
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from mizzen.lazy import dataclass
from mizzen.node.hang_detection import PATIENCE_SECONDS

if TYPE_CHECKING:
    # What reads and resolves objects takes a fifth of a second to import: not every command needs it.
    from mizzen.kube.client import Kube
    from mizzen.pipeline import Settings
    from mizzen.resolve.context import ExternalPorts
    from mizzen.resources.raw_objects import RawObject

F = TypeVar("F", bound=Callable[..., Any])

UNIX_SOCKETS_IN = "--unix-sockets-in"  # problems name it too: resolve.unix.OPTION
_BY_SERVICE = "service"  # resolve.context.ByService
RUN_DIR_VARIABLE = "MIZZEN_RUN_DIR"
CERTIFICATES_IN = "--certificates-in"
# Where Istio's charts and documents put them.
CERTIFICATE_FOLDERS = ("/etc/istio", "/etc/certs")
CERTIFICATES_VARIABLE = "MIZZEN_CERTIFICATES_IN"
UNIX_VARIABLE = "MIZZEN_UNIX_SOCKETS_IN"


def default_run_dir() -> Path:
    """Where a running instance keeps its sockets and logs, when nobody says."""
    if named := os.environ.get(RUN_DIR_VARIABLE):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/run/mizzen")
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "mizzen"
    return Path(f"/tmp/mizzen-{os.geteuid()}")


def with_options(*some: Callable[[F], F]) -> Callable[[F], F]:
    """Each of them, in the order in which --help lists them."""

    def decorated(command: F) -> F:
        for option in reversed(some):
            command = option(command)
        return command

    return decorated


def run_dir(command: F) -> F:
    """`--run-dir`: which instance is meant."""
    return click.option(
        "--run-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=default_run_dir,
        help="Folder of sockets and logs of the running instance. "
        f"[default: ${RUN_DIR_VARIABLE}, else /run/mizzen]",
    )(command)


def certificate_folders(command: F) -> F:
    """`--certificates-in`: where objects may name certificates and their keys."""
    return click.option(
        CERTIFICATES_IN,
        "certificates_in",
        multiple=True,
        metavar="DIR",
        envvar=CERTIFICATES_VARIABLE,
        type=click.Path(),
        callback=_certificate_folders,
        help="A folder below which objects may name certificates and their keys (serverCertificate, privateKey ...). "
        "Whoever writes a Gateway may show any of them. Repeatable.  "
        f"[default: ${CERTIFICATES_VARIABLE}, separated by colons; else {', '.join(CERTIFICATE_FOLDERS)}]",
    )(command)


def hung_after(command: F) -> F:
    """`--hung-after`: how long a process may be silent before it is killed and started again."""
    return click.option(
        "--hung-after",
        type=click.FloatRange(min=1),
        default=PATIENCE_SECONDS,
        envvar="MIZZEN_HUNG_AFTER",
        metavar="SECONDS",
        help="A process that does not answer for so long is killed and started again. One that a debugger holds never "
        f"is.  [default: $MIZZEN_HUNG_AFTER, else {PATIENCE_SECONDS:g}]",
    )(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is read, how clients come, and for whom, in the words of the command line."""

    files: tuple[str, ...]
    namespace: str = "default"
    is_namespace_said: bool = False
    external_ports: "ExternalPorts" = ()
    sidecars: tuple[str, ...] = ()
    unix_sockets_in: tuple[str, ...] = ()
    certificates_in: tuple[str, ...] = ()

    def settings(
        self, objects: "tuple[RawObject, ...] | None" = None, *, is_local: bool = True
    ) -> "Settings":
        """What the stages are told beside the objects; the switches come from the environment.

        With `objects`, the files of this machine that they name are read. `is_local`: gateways are on this machine.
        """
        from mizzen.node.ports import families
        from mizzen.pipeline import Settings
        from mizzen.resolve.context import FileFolders, UnixFolders
        from mizzen.sources.named_files import named_in, read

        environment: Mapping[str, str] = dict(os.environ)
        folders = FileFolders(allowed=self.certificates_in)
        return Settings(
            environment=environment,
            external_ports=self.external_ports,
            default_namespace=self.namespace,
            sidecars=frozenset(self.sidecars),
            unix_folders=UnixFolders(allowed=self.unix_sockets_in),
            certificate_folders=folders,
            families=families() if is_local else "unknown",
            files=None if objects is None else read(named_in(objects), folders),
        )

    def arguments(self) -> tuple[str, ...]:
        """The same options again, for a child process."""
        found = [part for name in self.files for part in ("-f", name)] + ["-n", self.namespace]
        found += [part for name in self.sidecars for part in ("--sidecar", name)]
        found += [part for name in self.unix_sockets_in for part in (UNIX_SOCKETS_IN, name)]
        found += [part for name in self.certificates_in for part in (CERTIFICATES_IN, name)]
        if isinstance(self.external_ports, tuple):
            ports = [f"{dialled}:{bound}" for dialled, bound in self.external_ports]
        else:
            ports = [self.external_ports.value]
        return (*found, *(part for port in ports for part in ("--external-port", port)))


@dataclass(frozen=True, slots=True, kw_only=True)
class WhichCluster:
    """Which Kubernetes is meant, in kubectl's words."""

    kubeconfig: str
    context: str

    def connect(self) -> "Kube":
        """A client for it. KubeError when there is none."""
        from mizzen.kube.client import connect

        return connect(self.kubeconfig, self.context, searched=os.environ.get("KUBECONFIG", ""))


CLUSTER = (
    click.option("-c", "--kubeconfig", default="", help="Who asks which API server.  [default: $KUBECONFIG]"),
    click.option("--context", default="", help="The kubeconfig's context.  [default: its current one]"),
)
# Which control plane is meant.
CONTROL_PLANE = (
    click.option(
        "-i",
        "--istioNamespace",
        "istio_namespace",
        default="istio-system",
        help="Where a cluster's control plane is.",
    ),
    click.option("-r", "--revision", default="default", help="Of which control plane of a cluster."),
)


def cluster(command: F) -> F:
    """`--kubeconfig` and `--context`; the command gets them as `cluster`."""

    @with_options(*CLUSTER)
    @functools.wraps(command)
    def gathered(kubeconfig: str, context: str, **others: Any) -> Any:
        return command(cluster=WhichCluster(kubeconfig=kubeconfig, context=context), **others)

    return cast(F, gathered)


def inputs(command: F) -> F:
    """`-f`, `-k`, `-n`, `--external-port`, `--sidecar` and `--unix-sockets-in`; the command gets them as `inputs`."""
    return _inputs(command, required=True)


def optional_inputs(command: F) -> F:
    """The same, for a command that can do without files."""
    return _inputs(command, required=False)


def _inputs(command: F, *, required: bool) -> F:

    @with_options(*_INPUTS)
    @functools.wraps(command)
    def gathered(
        files: tuple[str, ...],
        kustomizations: tuple[str, ...],
        namespace: str,
        external_ports: "ExternalPorts",
        sidecars: tuple[str, ...],
        unix_sockets_in: tuple[str, ...],
        certificates_in: tuple[str, ...],
        **others: Any,
    ) -> Any:
        if required and not files and not kustomizations:
            raise click.UsageError("Missing option '-f' / '--filename' (or '-k' / '--kustomize').")
        found = Inputs(
            files=(*files, *kustomizations),
            namespace=namespace or "default",
            is_namespace_said=bool(namespace),
            external_ports=external_ports,
            sidecars=sidecars,
            unix_sockets_in=unix_sockets_in,
            certificates_in=certificates_in,
        )
        return command(inputs=found, **others)

    return cast(F, gathered)


def _kustomizations(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    from mizzen.sources.kustomize import NAMES, kustomization_of

    for value in values:
        if not kustomization_of(value):
            raise click.BadParameter(f"there is no {', '.join(NAMES)} in {value}", ctx, parameter)
    return values


def _sidecars(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        namespace, slash, name = value.partition("/")
        if not (namespace and slash and name) or "/" in name:
            raise click.BadParameter(f"{value!r} is not NAMESPACE/NAME of a WorkloadEntry", ctx, parameter)
    return tuple(dict.fromkeys(values))


def _unix_folders(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Links are followed now, once: nothing that is changed later leads elsewhere. A folder may be on the machine of a
    proxy alone."""
    found = []
    for value in values:
        if value.startswith("@"):
            found.append(value)
            continue
        folder = Path(os.path.realpath(value))
        if folder.exists() and not folder.is_dir():
            raise click.BadParameter(f"{value} is no folder", ctx, parameter)
        if folder.is_dir() and folder.stat().st_mode & stat.S_IWOTH:
            why = f"anybody may write to {value}, and so lay links there to sockets that are not theirs"
            raise click.BadParameter(why, ctx, parameter)
        found.append(str(folder))
    return tuple(dict.fromkeys(found))


def _certificate_folders(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Links are followed now, once. Of the folders that nobody named, those that anybody may write to do not count."""
    found = []
    for value in values or CERTIFICATE_FOLDERS:
        folder = Path(os.path.realpath(value))
        if folder.is_dir() and folder.stat().st_mode & stat.S_IWOTH:
            if values:
                raise click.BadParameter(f"anybody may write to {value}", ctx, parameter)
            continue
        if folder == folder.parent:
            raise click.BadParameter("the whole machine is no folder of certificates", ctx, parameter)
        found.append(str(folder))
    return tuple(dict.fromkeys(found))


def ca_dir(command: F) -> F:
    """`--ca-dir`: where the mesh's authority is."""
    return click.option(
        "--ca-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where the root of the mesh is kept, or Istio's cacerts (ca-cert.pem, ca-key.pem, root-cert.pem, "
        "cert-chain.pem).  [default: authority in the run-dir]",
    )(command)


def output(*formats: str) -> Callable[[F], F]:
    """`-o`: the first format is the default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Output format.",
    )


def _external_ports(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> "ExternalPorts":
    if _BY_SERVICE in values:
        if len(values) > 1:
            raise click.BadParameter("'service' stands alone", ctx, parameter)
        from mizzen.resolve.context import ByService

        return ByService.SERVICE
    pairs = []
    for value in values:
        dialled, _, bound = value.partition(":")
        if not (_is_port(dialled) and _is_port(bound)):
            raise click.BadParameter(
                f"{value!r} is not DIALLED:BOUND (such as 443:8443) nor 'service'", ctx, parameter
            )
        pairs.append((int(dialled), int(bound)))
    if len({bound for _, bound in pairs}) < len(pairs):
        raise click.BadParameter("a bound port is named twice", ctx, parameter)
    return tuple(pairs)


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 65_536


_INPUTS = (
    click.option(
        "-k",
        "--kustomize",
        "kustomizations",
        multiple=True,
        metavar="DIR",
        callback=_kustomizations,
        help="A folder with a kustomization.yaml, as kubectl kustomize builds it (with kubectl, else kustomize, from the "
        "PATH). Repeatable.",
    ),
    click.option(
        "-f",
        "--filename",
        "files",
        multiple=True,
        metavar="FILE|DIR",
        help="YAML to read; a directory with all below it, or one of Kustomize, which is built; - for standard input. "
        "Repeatable.",
    ),
    click.option(
        "-n",
        "--namespace",
        default="",
        help="Namespace of objects that name none.  [default: default]",
    ),
    click.option(
        "--external-port",
        "external_ports",
        multiple=True,
        metavar="DIALLED:BOUND|service",
        callback=_external_ports,
        help="The port clients dial for a port the gateway binds (443:8443), because something "
        "forwards it; 'service': those of the gateway's Service, as on Kubernetes. Repeatable.",
    ),
    click.option(
        "--sidecar",
        "sidecars",
        multiple=True,
        metavar="NAMESPACE/NAME",
        callback=_sidecars,
        help="A WorkloadEntry on this machine that gets a sidecar: an Envoy of its own that takes the "
        "mesh's mutual TLS for it. Repeatable.",
    ),
    certificate_folders,
    click.option(
        UNIX_SOCKETS_IN,
        "unix_sockets_in",
        multiple=True,
        metavar="DIR|@NAME",
        envvar=UNIX_VARIABLE,
        type=click.Path(),
        callback=_unix_folders,
        help="A folder whose Unix sockets objects may name (unix:///DIR/NAME, as an endpoint or to be bound), or "
        "one abstract socket. Whoever writes to that folder has Envoy's rights at sockets. Repeatable.  "
        f"[default: ${UNIX_VARIABLE}, separated by colons; else none may be named]",
    ),
)
