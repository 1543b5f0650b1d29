"""Files of ours: for their owner alone, and whole or not there, whenever somebody looks."""

import contextlib
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Put a file in place at once, with mode 0600 from its first byte on. A kill leaves the old one or the new.

    Raises:
        OSError: when it cannot be written (a full disk, a folder that is away); what was there before stays.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.unlink(missing_ok=True)
        beside.touch(mode=0o600)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)  # half a file would take what little room there is
        raise OSError(error.errno, error.strerror, str(path)) from None
