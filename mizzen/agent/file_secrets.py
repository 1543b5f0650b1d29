"""Certificates in files beside a proxy: what its Envoy asks for by their paths (`file-cert:`, `file-root:`, Istio's names).

Read as often as they change, and handed over when a certificate and its key are for one another. What went bad or away
stays as it was; that is said once.
"""

import logging
from collections.abc import Iterable
from dataclasses import field

from mizzen._api import pb
from mizzen.envoy.secret import ca_secret, tls_secret
from mizzen.lazy import dataclass
from mizzen.model.tls import BESIDE_PROXY, FILE_ROOT, is_beside_proxy
from mizzen.resolve.context import FileFolders
from mizzen.resolve.tls.named_files import FileFault, is_roots, pair_in, paths_of, roots_in
from mizzen.sources.named_files import Named, Stamps, read, stamps

_log = logging.getLogger(__name__)

MOST = 500  # secrets of one proxy


@dataclass(slots=True)
class FileSecrets:
    """The secrets in files that one Envoy has asked for."""

    folders: FileFolders
    held: dict[str, pb.Secret] = field(default_factory=dict, repr=False)
    _names: frozenset[str] = frozenset()
    _stamps: Stamps = field(default_factory=dict)
    _told: dict[str, str] = field(default_factory=dict)  # name -> what is wrong with it

    def follow(self, names: Iterable[str]) -> bool:
        """Read what has changed of what is asked for now; is there anything new to hand over?"""
        wanted = frozenset(sorted(name for name in names if _is_file(name))[:MOST])
        named = _paths(wanted)
        now = stamps(named)
        if wanted == self._names and now == self._stamps and not self._told:
            return False
        self._names, self._stamps = wanted, now
        self._told = {name: why for name, why in self._told.items() if name in wanted}
        found = {name: one for name in wanted if (one := self._held(name, named)) is not None}
        changed, self.held = found != self.held, found
        return changed

    def _held(self, name: str, named: Named) -> pb.Secret | None:
        """What is handed over under a name: what it was, where the files are not good now."""
        paths = paths_of(name)
        files = read({path: named[path] for path in paths if path in named}, self.folders)
        made = roots_in(files, name) if is_roots(name) else pair_in(files, name)
        if not isinstance(made, FileFault):
            if self._told.pop(name, None):
                _log.info("%s can be used again", " and ".join(paths))
            return ca_secret(made) if is_roots(name) else tls_secret(made)  # type: ignore[arg-type]
        kept = self.held.get(name)
        if self._told.get(name) != made.why:
            self._told[name] = made.why
            _log.warning(
                "%s: %s", made.why, "the last good one is kept" if kept else "connections fail until it can"
            )
        return kept


def _is_file(name: str) -> bool:
    return is_beside_proxy(name) and name not in BESIDE_PROXY


def _paths(names: Iterable[str]) -> Named:
    """Whoever names a CA reads what is public alone: a file may be named as both."""
    found: dict[str, bool] = {}
    for name in sorted(names):
        for path in paths_of(name):
            if path.startswith("/"):
                found[path] = found.get(path, False) or name.startswith(FILE_ROOT)
    return found
