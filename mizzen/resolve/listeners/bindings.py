"""What DNS may say of an HTTPS server: its hosts, what it speaks, its addresses, and who keeps the records."""

import binascii
from base64 import b64decode
from collections.abc import Iterator
from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.dns import DEFAULT_TTL, Binding, Keeper, TsigKey
from mizzen.resolve.context import Context, step
from mizzen.resolve.gateways.servers import MergedServer, dialled_port, sni_names
from mizzen.resolve.http3_choices import Choices
from mizzen.resolve.http3_policies import Chosen, chosen, of_server
from mizzen.resolve.names import service_key
from mizzen.resources.formats.checks import is_ip
from mizzen.resources.kubernetes.core import Secret, Service
from mizzen.resources.mizzen.dns import DnsSettings
from mizzen.resources.rules.dns_settings import server_of

CODES = {
    "DNS-001": "The key that updates of a zone are to be signed with is not to be had; nothing is written there.",
    "DNS-002": "A host is not in the zone in which records are kept; mizzen keeps none of it.",
}

_WHERE = "A key is in the policy's namespace; of a cluster, Secrets are read where gateways run."
# RFC 8945, section 6, less what is not to be used any more, by what dnspython and BIND call them.
_ALGORITHMS = ("hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")


def binding(ctx: Context, server: MergedServer, alpn: tuple[str, ...], hosts: Choices) -> Binding:
    """`alpn`: what the server speaks over TCP; () where it is not served there. `hosts`: which of its hosts have HTTP/3."""
    found = chosen(of_server(ctx, server.gateway, server.server), lambda spec: spec.dns)
    settings = found.value if found is not None else DnsSettings()
    known = addresses(ctx)
    names = tuple(sorted(sni_names(server.hosts).union(hosts.hosts)))
    keeper = None
    if found is not None:
        make = partial(_keeper, ctx, found)
        keeper = attempt(Stage.RESOLVE, found.policy.ref, make, ctx.report, None)
    if keeper is not None:
        _tell_outside(ctx, server, names, keeper)
    return Binding(
        hosts=names,
        off={host: f"it is switched off by {by}" if by else "it is switched off" for host, by in hosts.off},
        port=dialled_port(ctx.proxy, server),
        alpn=("h3", *alpn),
        has_default="http/1.1" in alpn,
        target=f"{settings.target_name.rstrip('.').lower()}." if settings.target_name else ".",
        addresses=settings.addresses or known.addresses,
        unknown="" if settings.addresses else known.unknown,
        ttl=settings.ttl or DEFAULT_TTL,
        keeper=keeper,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Those at which clients reach a gateway, or why they are not known."""

    addresses: tuple[str, ...] = ()
    unknown: str = ""


@step
def addresses(ctx: Context) -> Addresses:
    """Those that the Services of a gateway have, of load balancers and as they are written."""
    keys = dict.fromkeys(service_key(target.service) for target in ctx.proxy.targets)
    services = [one for key in keys if (one := ctx.world.service_by_key.get(key)) is not None]
    found = dict.fromkeys(address for one in services for address in _of_service(one))
    if known := tuple(sorted(one for one in found if is_ip(one))):
        return Addresses(addresses=known)
    names = sorted(set(found) - {""})
    if names:
        unknown = f"its load balancer is known by a name ({', '.join(names)})"
    elif services:
        unknown = f"the Service {services[0].namespace}/{services[0].name} has no address yet"
    else:
        unknown = f"no Service of {ctx.proxy.called} is known"
    return Addresses(unknown=unknown)


def _of_service(service: Service) -> Iterator[str]:
    for one in service.status.load_balancer.ingress:
        yield one.ip or one.hostname
    yield from service.spec.external_ips


def _keeper(ctx: Context, found: Chosen[DnsSettings]) -> Keeper | None:
    """Who keeps the records, as the policy says; None where nobody does, or may not without its key."""
    settings, policy = found.value, found.policy
    # Whoever has the key may write: policies that share it write together, as they must of a host that they share.
    owner = settings.owner or "/".join(filter(None, (policy.namespace, settings.tsig_secret)))
    if settings.external_dns:
        return Keeper(policy=policy.ref, owner=owner)
    if not settings.server:
        return None
    key = _key(ctx, found) if settings.tsig_secret else None
    if settings.tsig_secret and key is None:
        return None
    server = server_of(settings.server)
    assert server is not None, "it has been validated"
    return Keeper(
        policy=policy.ref,
        owner=owner,
        server=server[0],
        port=server[1],
        zone=f"{settings.zone.rstrip('.').lower()}.",
        key=key,
        secret=f"{policy.namespace}/{settings.tsig_secret}" if settings.tsig_secret else "",
    )


def _key(ctx: Context, found: Chosen[DnsSettings]) -> TsigKey | None:
    """The key in the Secret that the policy names, or None and a problem."""
    namespace, name = found.policy.namespace, found.value.tsig_secret
    secret = ctx.world.secret_by_key.get((namespace, name))
    if secret is None:
        _refuse(ctx, found, f"there is no Secret {namespace}/{name}", _WHERE)
        return None
    key = read_key(secret)
    if isinstance(key, str):
        hint = "It holds name, algorithm (hmac-sha256) and secret (base64), as tsig-keygen prints them."
        _refuse(ctx, found, f"the Secret {namespace}/{name} holds no key of TSIG: {key}", hint)
        return None
    return key


def read_key(secret: Secret) -> TsigKey | str:
    """The key in a Secret, or what is wrong with it."""
    texts = {}
    for field in ("name", "algorithm", "secret"):
        try:
            texts[field] = secret.data.get(field, b"").decode("ascii").strip()
        except UnicodeDecodeError:
            return f"{field} is no text"
        if not texts[field] and field != "algorithm":
            return f"it has no {field}"
    algorithm = texts["algorithm"].lower().rstrip(".") or "hmac-sha256"
    if algorithm not in _ALGORITHMS:
        return f"the algorithm is none of {', '.join(_ALGORITHMS)}"
    try:
        b64decode(texts["secret"], validate=True)
    except (binascii.Error, ValueError):
        return "secret is no base64"
    return TsigKey(name=texts["name"].rstrip(".").lower(), algorithm=algorithm, secret=texts["secret"])


def _refuse(ctx: Context, found: Chosen[DnsSettings], message: str, hint: str) -> None:
    ctx.report(
        Problem(
            code="DNS-001",
            resource=found.policy.ref,
            field=f"{found.value.at}.tsigSecret",
            message=f"{message}: no records are written",
            hint=hint,
        )
    )


def _tell_outside(ctx: Context, server: MergedServer, hosts: tuple[str, ...], keeper: Keeper) -> None:
    outside = [host for host in hosts if not f".{host}.".endswith(f".{keeper.zone}")]
    if not outside or keeper.is_external_dns:
        return
    some = ", ".join(outside[:5]) + (f" and {len(outside) - 5} more" if len(outside) > 5 else "")
    ctx.report(
        Problem(
            severity=Severity.INFO,
            code="DNS-002",
            resource=server.ref,
            field=f"{server.at}.hosts",
            message=f"{keeper.policy} keeps no record of {some}: not in the zone {keeper.zone}",
            hint="Print it with 'mizzen dns', or give the server a policy of its own for that zone.",
        )
    )
