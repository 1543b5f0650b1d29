"""The algebra of hosts: exact names, and wildcards whose star stands for any beginning ("*.example.com").

Comparison is that of Istio: a pure suffix test (of `folded` hosts). "*.example.com" does not cover "example.com".
"""

from collections.abc import Collection, Iterable


def subset_of(narrow: str, wide: str) -> bool:
    """Does `wide` cover everything that `narrow` does?"""
    if narrow == wide or wide == "*":
        return True
    if not wide.startswith("*"):
        return False
    return narrow.removeprefix("*").endswith(wide[1:])


def overlap(one: str, other: str) -> bool:
    """Does one of the two cover the other?"""
    return subset_of(one, other) or subset_of(other, one)


def usable_by(hosts: Iterable[str], namespace: str) -> tuple[str, ...]:
    """The hosts of a server that VirtualServices of `namespace` may take, without their prefixes."""
    found = []
    for host in hosts:
        owner, slash, name = host.partition("/")
        if not slash:
            found.append(host)
        elif owner in ("*", namespace):
            found.append(name)
    return tuple(found)


def intersect(server_hosts: Iterable[str], service_hosts: Iterable[str]) -> tuple[str, ...]:
    """Of every overlapping pair the more specific one, each once, in the order in which they are met."""
    wanted = tuple(service_hosts)
    found: dict[str, None] = {}
    for server in server_hosts:
        for service in wanted:
            if subset_of(server, service):
                found[server] = None
            elif subset_of(service, server):
                found[service] = None
    return tuple(found)


def specificity_key(host: str) -> tuple[bool, bool, int, str]:
    """Sorts the most specific host first: exact, then long, then by alphabet; "*" is last."""
    return (host == "*", host.startswith("*"), -len(host), host)


def wildcard_of(host: str, hosts: Iterable[str]) -> str:
    """The most exact wildcard among `hosts` that covers a host; "" when none does."""
    around = [one for one in hosts if one.startswith("*") and one != host and subset_of(host, one)]
    return max(around, key=len, default="")


def is_off(host: str, hosts: Collection[str], off: Collection[str]) -> bool:
    """Is a host of a server among those that are switched `off`? `hosts`: as the server names them, in lower case. Its own
    entry counts, or the most exact that covers it."""
    return host in off or (host not in hosts and wildcard_of(host, hosts) in off)
