"""Unix sockets as files: which are left over, whose they are, and taking away none but our own."""

import errno
import os
import socket
import stat
import struct
from pathlib import Path

from mizzen.node.ports import Holder, Refusal, command_of
from mizzen.serve.kept_socket import is_kept

_CONNECT_SECONDS = 1.0
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7), SO_PEERCRED)


def make_way(path: Path) -> None:
    """Remove the socket that an earlier instance left at `path`. Raises OSError when something else is there.

    Only a socket of this user is removed, or the name that was given to it again (`serve.kept_socket`): never a
    file, another link, or what belongs to somebody else.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    is_ours = stat.S_ISSOCK(found.st_mode) or (stat.S_ISLNK(found.st_mode) and is_kept(path))
    if not is_ours or found.st_uid != os.geteuid():
        raise FileExistsError(errno.EEXIST, "something is there that is no socket of mizzen", str(path))
    path.unlink()


def try_path(path: str) -> Refusal | None:
    """Can Envoy bind a socket at `path` (or an abstract name, @NAME) without taking anything from anybody?

    Envoy removes whatever has the name before it binds. None when nothing is there, or a socket at which
    nobody answers any more.
    """
    if path.startswith("@"):
        return _answering(f"\0{path[1:]}", path)
    folder = os.path.dirname(path)
    if os.path.realpath(folder) != folder:
        return Refusal(reason=f"{folder} is no folder, or a link lies on the way to it")
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return None if os.path.isdir(folder) else Refusal(reason=f"there is no folder {folder}")
    except OSError as error:
        return Refusal(reason=error.strerror or str(error))
    if not stat.S_ISSOCK(mode):
        return Refusal(
            reason="a file is there that is no socket",
            hint="Move it away, or use another name: it would be lost.",
        )
    return _answering(path, path)


def _answering(address: str, name: str) -> Refusal | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(_CONNECT_SECONDS)
        try:
            trial.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        except OSError as error:
            return Refusal(reason=f"somebody has {name}: {error.strerror or error}")
        pid, _, _ = _CREDENTIALS.unpack(
            trial.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )
    holder = Holder(pid=pid, command=command_of(pid))
    return Refusal(
        reason=f"it is in use by {holder}", hint="End that process, or use another name.", holders=(holder,)
    )
