"""The file in which a control plane keeps which route tables go host by host, for the one that follows it.

Envoy goes on without us, with its connections; one that decided otherwise would drain them.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from mizzen.node import private_file

_log = logging.getLogger(__name__)

Scoped = Mapping[str, bool]  # route table -> whether it goes host by host


class ScopedFile:
    """One such file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: Mapping[str, Scoped] | None = None  # None: nobody has looked yet

    def of(self, gateway: str) -> Scoped:
        """What was decided for the tables of a gateway, here or by an earlier control plane."""
        if self._kept is None:
            self._kept = self._read()
        return self._kept.get(gateway, {})

    def _read(self) -> Mapping[str, Scoped]:
        """A file that is not ours counts as none."""
        try:
            found = json.loads(self._path.read_bytes())
            return {
                str(gateway): {str(table): value is True for table, value in tables.items()}
                for gateway, tables in found.items()
            }
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError) as error:
            _log.warning("how routes were sent before is not known: %s: %s", self._path, error)
        return {}

    def keep(self, decided: Mapping[str, Scoped]) -> None:
        """Write it down, where it is other than before. A disk that takes nothing costs the next one its memory alone."""
        if decided == self._kept:
            return
        self._kept = dict(decided)
        try:
            private_file.write(self._path, json.dumps(decided, indent=1, sort_keys=True).encode())
        except OSError as error:
            _log.warning("how routes are sent cannot be kept: %s", error)
