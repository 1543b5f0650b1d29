"""What is refused and warned of in a loadBalancer block: hashing, warm-up, localities."""

from collections.abc import Iterable

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.istio.destination_rule import (
    ConsistentHashLB,
    Failover,
    HTTPCookie,
    LoadBalancerSettings,
    LocalityLoadBalancerSetting,
    WarmupConfiguration,
    ZoneAwareLbSetting,
)
from mizzen.resources.rules import shared_rules
from mizzen.resources.yaml.places import child

_LARGEST_TABLE = 5_000_011  # Envoy's limit for Maglev
_TOPOLOGY = frozenset(
    {
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "topology.istio.io/subzone",
    }
)


def load_balancer(settings: LoadBalancerSettings, found: Findings, *, watched: bool) -> None:
    """`watched`: there is an outlierDetection beside it, without which nothing fails over."""
    if settings.simple is not None and settings.consistent_hash is not None:
        found.error("VAL-002", settings.consistent_hash.at, "simple and consistentHash exclude each other")
    if settings.consistent_hash:
        _hash(settings.consistent_hash, found)
    if settings.warmup:
        _warmup(settings.warmup, found)
    by_locality, by_zone = settings.locality_lb_setting, settings.zone_aware_lb_setting
    if by_locality and by_zone:
        found.error("VAL-002", by_zone.at, "localityLbSetting and zoneAwareLbSetting exclude each other")
    if by_locality:
        locality(by_locality, found)
    if by_zone:
        zones(by_zone, found)
    for setting in (by_locality, by_zone):
        if setting and not watched and (setting.failover or setting.failover_priority):
            found.warning(
                "VAL-103",
                setting.at,
                "nothing fails over without outlierDetection",
                "Add an outlierDetection block beside loadBalancer.",
            )


def _hash(settings: ConsistentHashLB, found: Findings) -> None:
    keys = {
        "httpHeaderName": settings.http_header_name,
        "httpCookie": settings.http_cookie,
        "useSourceIp": settings.use_source_ip,
        "httpQueryParameterName": settings.http_query_parameter_name,
    }
    given = [key for key, value in keys.items() if value is not None]
    if len(given) > 1:
        found.error("VAL-002", f"{settings.at}.{given[1]}", f"only one of {' and '.join(given)} can be given")
    if settings.http_header_name is not None and (wrong := checks.token(settings.http_header_name)):
        found.error("VAL-006", f"{settings.at}.httpHeaderName", wrong)
    if settings.http_query_parameter_name == "":
        found.error("VAL-001", f"{settings.at}.httpQueryParameterName", "a query parameter must have a name")
    if settings.http_cookie:
        _cookie(settings.http_cookie, found)
    if settings.ring_hash and settings.maglev:
        found.error("VAL-002", settings.maglev.at, "ringHash and maglev exclude each other")
    if settings.minimum_ring_size:
        at = f"{settings.at}.minimumRingSize"
        if settings.ring_hash or settings.maglev:
            found.error("VAL-002", at, "minimumRingSize excludes ringHash and maglev")
        else:
            found.warning("VAL-102", at, "minimumRingSize is out of use", "Use ringHash.minimumRingSize.")
    if settings.maglev and not _is_table_size(settings.maglev.table_size):
        found.error(
            "VAL-003",
            f"{settings.maglev.at}.tableSize",
            f"{settings.maglev.table_size} is not a prime number below {_LARGEST_TABLE}",
        )


def _is_table_size(size: int) -> bool:
    if not 2 <= size < _LARGEST_TABLE:
        return False
    return all(size % divisor for divisor in range(2, int(size**0.5) + 1))


def _cookie(cookie: HTTPCookie, found: Findings) -> None:
    if not cookie.name:
        found.error("VAL-001", f"{cookie.at}.name", "a cookie needs a name")
    elif wrong := checks.token(cookie.name):
        found.error("VAL-006", f"{cookie.at}.name", wrong)
    shared_rules.text(cookie.path, f"{cookie.at}.path", found)
    names: set[str] = set()
    for attribute in cookie.attributes:
        for key, text in (("name", attribute.name), ("value", attribute.value)):
            shared_rules.text(text, f"{attribute.at}.{key}", found, code="VAL-006")
        if not attribute.name:
            found.error("VAL-001", f"{attribute.at}.name", "an attribute of a cookie needs a name")
        if attribute.name in names:
            found.error("VAL-008", f"{attribute.at}.name", f'the attribute "{attribute.name}" stands twice')
        names.add(attribute.name)


def _warmup(warmup: WarmupConfiguration, found: Findings) -> None:
    if warmup.duration is None:
        found.error("VAL-001", f"{warmup.at}.duration", "duration is missing")
    shared_rules.time(warmup.duration, f"{warmup.at}.duration", found)
    if warmup.minimum_percent is not None and not 0 <= warmup.minimum_percent <= 100:
        found.error("VAL-003", f"{warmup.at}.minimumPercent", "a percentage is 0 to 100")
    if warmup.aggression is not None and warmup.aggression <= 0:
        found.error("VAL-003", f"{warmup.at}.aggression", "aggression must be more than 0")


def locality(setting: LocalityLoadBalancerSetting, found: Findings) -> None:
    if setting.distribute and (setting.failover or setting.failover_priority):
        found.error("VAL-002", f"{setting.at}.failover", "distribute and failover exclude each other")
    if setting.failover and _topology_labels(setting.failover_priority):
        found.error("VAL-002", f"{setting.at}.failoverPriority", _PRIORITY_BY_REGION)
    sources: list[str] = []
    for entry in setting.distribute:
        _locality_name(entry.from_, f"{entry.at}.from", sources, found)
        sources.append(entry.from_)
        targets: list[str] = []
        for name, weight in entry.to.items():
            at = child(f"{entry.at}.to", name)
            _locality_name(name, at, targets, found)
            targets.append(name)
            if not 1 <= weight <= 100:
                found.error("VAL-003", at, f"{weight} is not a percentage from 1 to 100")
        if sum(entry.to.values()) != 100:
            found.error(
                "VAL-003", f"{entry.at}.to", f"the shares sum up to {sum(entry.to.values())}, not to 100"
            )
    _failovers(setting.failover, found)


_PRIORITY_BY_REGION = "with it, failoverPriority cannot hold labels of region, zone or subzone"


def zones(setting: ZoneAwareLbSetting, found: Findings) -> None:
    if _topology_labels(setting.failover_priority):
        found.error("VAL-002", f"{setting.at}.failoverPriority", _PRIORITY_BY_REGION)
    _failovers(setting.failover, found)


def _topology_labels(priority: Iterable[str]) -> bool:
    return any(label.partition("=")[0] in _TOPOLOGY for label in priority)


def _failovers(entries: Iterable[Failover], found: Findings) -> None:
    for entry in entries:
        if entry.from_ == entry.to:
            found.error("VAL-002", f"{entry.at}.to", "a region cannot fail over to itself")
        for key, region in (("from", entry.from_), ("to", entry.to)):
            if "/" in region or "*" in region:
                found.error("VAL-007", f"{entry.at}.{key}", f'"{region}" is not the name of a region')


def _locality_name(name: str, at: str, others: list[str], found: Findings) -> None:
    """region, region/zone or region/zone/subzone; "*" only as the last part."""
    parts = name.split("/")
    if "" in parts or "*" in name[:-1] or ("*" in name and parts[-1] != "*"):
        found.error("VAL-007", at, f'"{name}" is not a locality such as "region/zone/*"')
    elif any(_overlap(parts, other.split("/")) for other in others):
        found.error("VAL-008", at, f'"{name}" overlaps with another locality here')


def _overlap(one: list[str], other: list[str]) -> bool:
    for left, right in zip(one, other, strict=False):
        if "*" in (left, right):
            return True
        if left != right:
            return False
    return True
