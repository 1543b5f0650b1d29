"""What has become of the resources of one Envoy since they were translated last."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import field

from mizzen.errors import Problem
from mizzen.lazy import dataclass
from mizzen.persistent import PersistentMap

Name = tuple[str, str]  # (type URL, name)
Bodies = Mapping[str, PersistentMap[str, bytes]]  # type URL -> name -> the resource, serialised
Faults = PersistentMap[Name, tuple[Problem, ...]]


@dataclass(slots=True)
class Changes:
    """Gathers changes to `bodies` and `faults`, neither of which is changed itself."""

    bodies: Bodies
    faults: Faults
    _changed: defaultdict[str, dict[str, bytes]] = field(default_factory=lambda: defaultdict(dict))
    _removed: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _faults: dict[Name, tuple[Problem, ...]] = field(default_factory=dict)

    def put(self, url: str, name: str, body: bytes | None, problems: tuple[Problem, ...] = ()) -> None:
        """A resource that was translated anew; None: there is none. Equal bytes stay the very same object."""
        earlier = self.bodies[url].get(name)
        if body is None:
            self._changed[url].pop(name, None)
            self._removed[url].add(name)
        else:
            self._removed[url].discard(name)
            self._changed[url][name] = earlier if earlier == body else body
        self.fault((url, name), problems)

    def drop(self, url: str, name: str) -> None:
        """A resource that is gone."""
        self.put(url, name, None)

    def fault(self, name: Name, problems: tuple[Problem, ...]) -> None:
        """What is wrong with a resource; () where nothing is."""
        if problems or name in self.faults:
            self._faults[name] = problems

    def applied(self) -> tuple[Bodies, Faults]:
        """The resources and faults with all changes; types and maps that have none are the very same objects."""
        bodies = {
            url: named.updated(self._changed[url], self._removed[url]) for url, named in self.bodies.items()
        }
        mended = [name for name, problems in self._faults.items() if not problems]
        faulty = {name: problems for name, problems in self._faults.items() if problems}
        return bodies, self.faults.updated(faulty, mended)
