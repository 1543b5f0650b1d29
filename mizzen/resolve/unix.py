"""Which Unix sockets objects may name: those in the folders that were named when the process was started.

Whoever writes a Gateway or a ServiceEntry makes Envoy connect to, or remove and replace, what it names with
Envoy's rights: the sockets of this instance, of the container runtime, any file. So a socket lies directly in a
folder that the operator named. Not deeper: a folder in between could be a link to anywhere. Links to sockets
are followed by the kernel all the same, so only those whom the operator trusts should write to such a folder.
"""

from mizzen.errors import Problem, ResourceRef
from mizzen.resolve.context import Context, UnixFolders

CODES = {
    "UNIX-001": "A Unix socket is not in a folder that was named at start; nothing is opened there or sent to it.",
}

UNIX = "unix://"
OPTION = "--unix-sockets-in"
# Where instances keep their own sockets, unless they are told otherwise.
_RUN_DIRS = ("/run/mizzen", "/var/run/mizzen")


def is_unix(address: str) -> bool:
    """Does it name a Unix socket?"""
    return address.startswith(UNIX)


def refusal(folders: UnixFolders, address: str) -> str:
    """Why a socket (a path or an abstract name, with or without unix:// before it) may not be used; "": it may."""
    path = address.removeprefix(UNIX)
    if path.startswith("@"):
        return "" if path in folders.allowed else f"the abstract socket {path} was not named at start"
    folder, _, name = path.rpartition("/")
    if not name or name in (".", ".."):
        return f"{path!r} is not the path of a socket"
    for closed in (*folders.closed, *_RUN_DIRS):
        if f"{folder}/".startswith(f"{closed}/"):
            return f"{folder} is where mizzen keeps its own sockets"
    if folder not in folders.allowed:
        return f"{folder or '/'} is no folder that was named at start"
    return ""


def permits(ctx: Context, address: str, ref: ResourceRef, at: str) -> bool:
    """May this socket be used? When it may not, that is reported at the field `at` of `ref`."""
    why = refusal(ctx.unix_folders, address)
    if why:
        ctx.report(
            Problem(
                code="UNIX-001",
                resource=ref,
                field=at,
                message=f"{why}; nothing is opened there or sent to it",
                hint=f"Use an IP address, or have mizzen started with {OPTION} and the socket's folder.",
            )
        )
    return not why
