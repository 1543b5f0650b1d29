"""What a DestinationRule or Gateway that has an error keeps closed.

A rule that is left out takes its `tls` with it, and its backends would be spoken to in plaintext; of a Gateway that is
left out, the hosts would fall to a wildcard of another that may ask less of clients. So where no good version of it is
known, its hosts stand for it: they are not served (resolve.policies, resolve.owners).

- A rule that may ask for TLS closes the hosts that it names. Where its host cannot be read, every service that a rule
  of its namespace may be for. A rule without a word of TLS anywhere only loses its effect.
- A Gateway keeps the hosts of its TLS servers away from wildcards around them, as far as they can be read.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field, fields, replace
from typing import Any

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.resources.closing import Closed
from mizzen.resources.declaring.compile import nearest
from mizzen.resources.declaring.declare import Metadata, Resource
from mizzen.resources.decode import identify
from mizzen.resources.istio.destination_rule import ClientTLSSettings, DestinationRule
from mizzen.resources.istio.gateway import Gateway, GatewaySpec, Port, Server, ServerTlsSettings
from mizzen.resources.kinds import KINDS, NETWORKING
from mizzen.resources.raw_objects import BrokenDocument, RawObject

_RULE, _GATEWAY = DestinationRule.__name__, Gateway.__name__
WITHHELD = frozenset({_RULE, _GATEWAY})

UNKNOWN_PORT = 0  # of a server whose port or address cannot be read


def _letters(word: str) -> str:
    return re.sub("[^a-z0-9]", "", word.lower())


# Keys that stand in a DestinationRule only where TLS is asked for, and modes that ask for it.
_TLS_KEYS = frozenset({"tls", *(_letters(one.name) for one in fields(ClientTLSSettings) if one.name != "at")})
_TLS_MODES = frozenset({"simple", "mutual", "istiomutual"})
_PLAIN = {"mode": "DISABLE"}  # a `tls` that asks for none
_TLS_WORD = re.compile("tls|ssl|mutual|" + "|".join(sorted(_TLS_KEYS)), re.IGNORECASE)
_HOST_LINE = re.compile(
    r"""(?<![\w-])["']?host["']?[ \t]*:[ \t]*(?:"([^"\\\n]+)"|'([^'\n]+)'|([^\s,{}#]+))"""
)
_HOST_KEY = re.compile(r"""(?<![\w-])["']?host["']?[ \t]*:""")
_NOT_PLAIN = tuple("*&!|>[{\"'%@`")  # how a value begins that a line alone does not tell
_NAME_WITH_DOTS = re.compile(r"(?<![\w.-])(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?![\w-])")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_PLAIN_PROTOCOLS = frozenset(
    {"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY", "TCP", "MONGO", "REDIS", "MYSQL"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedRule(Resource):
    """Stands for a DestinationRule: its hosts get no connection. Nobody writes it.

    `hosts`: as written; () where that cannot be read. `export_to`: None for anybody. `selector`: None for every proxy.
    """

    hosts: tuple[str, ...] = ()
    export_to: tuple[str, ...] | None = None
    selector: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedGateway(Resource):
    """Stands for a Gateway: the servers that end or pass on TLS, as far as they can be read. Nobody writes it."""

    spec: GatewaySpec = field(default_factory=GatewaySpec)


def withheld(raw: RawObject, problems: Collection[Problem], default_namespace: str) -> Closed | None:
    """What stands for an object that is refused because of `problems`; None where nothing is lost that was closed."""
    kind = raw.kind if raw.kind in KINDS else nearest(raw.kind, tuple(KINDS))
    group = raw.api_version.rpartition("/")[0]
    is_refused = any(problem.severity is Severity.ERROR for problem in problems)
    if (
        not is_refused
        or kind not in WITHHELD
        or not (group in ("", NETWORKING) or group.endswith("istio.io"))
    ):
        return None
    ref = replace(identify(raw, default_namespace), kind=kind)
    written = _written(raw)
    if kind == _RULE:
        return _rule(ref, written, problems) if _may_ask_for_tls(written) else None
    return _gateway(ref, written.get("spec"))


def _written(raw: RawObject) -> Mapping[str, Any]:
    """The object without what others write beside it; a `spec` that is indented too far stays."""
    metadata = raw.data.get("metadata")
    inner = {key: metadata[key] for key in metadata if key == "spec"} if isinstance(metadata, Mapping) else {}
    return {**raw.data, "kind": None, "apiVersion": None, "status": None, "metadata": inner}


def withheld_text(problem: Problem, default_namespace: str) -> Closed | None:
    """What stands for an object whose document cannot be read. Its lines tell hosts, and whether TLS is meant at all."""
    ref = replace(problem.resource, namespace=problem.resource.namespace or default_namespace)
    if (
        not problem.code.startswith("YML-")
        or problem.severity is not Severity.ERROR
        or ref.kind not in WITHHELD
    ):
        return None
    text = problem.text if isinstance(problem, BrokenDocument) else None
    lines = None if text is None else "\n".join(_COMMENT.sub("", line) for line in text.splitlines())
    meta = Metadata(name=ref.name, namespace=ref.namespace)
    if ref.kind == _RULE:
        if lines is not None and not _TLS_WORD.search(lines):
            return None
        rule = ClosedRule(meta=meta, ref=ref, hosts=_hosts_of_lines(lines or ""))
        return Closed(resource=rule, problem=_told(rule, problem.field))
    hosts = tuple(dict.fromkeys(_NAME_WITH_DOTS.findall(lines or "")))
    spec = GatewaySpec(servers=(_server(UNKNOWN_PORT, "", hosts, ""),) if hosts else ())
    return Closed(resource=ClosedGateway(meta=meta, ref=ref, spec=spec), problem=None)


# --- DestinationRules -------------------------------------------------------------------------------


def _rule(ref: ResourceRef, written: Mapping[str, Any], problems: Collection[Problem]) -> Closed:
    spec = written.get("spec")
    given = spec if isinstance(spec, Mapping) else {}
    host, exported, chosen = given.get("host"), given.get("exportTo"), given.get("workloadSelector")
    hosts = (host,) if isinstance(host, str) and host else tuple(dict.fromkeys(_meant_as_host(written)))
    is_listed = isinstance(exported, list) and all(isinstance(one, str) for one in exported)
    wrong = {problem.field for problem in problems if problem.severity is Severity.ERROR}
    if not is_listed or any(field.startswith("spec.exportTo") for field in wrong):
        exported = [] if exported is None else None
    rule = ClosedRule(
        meta=Metadata(name=ref.name, namespace=ref.namespace),
        ref=ref,
        hosts=() if host and "spec.host" in wrong else hosts,
        export_to=None if exported is None else tuple(exported),
        selector=None if chosen is None else _labels(chosen),
    )
    return Closed(resource=rule, problem=_told(rule, "spec.host"))


def _meant_as_host(value: object) -> Iterator[str]:
    """What stands under a key that was meant to be `host`, wherever that is."""
    if isinstance(value, list):
        for item in value:
            yield from _meant_as_host(item)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if nearest(str(key), ("host",)):
                yield from (
                    one
                    for one in (inner if isinstance(inner, list) else [inner])
                    if isinstance(one, str) and one
                )
            yield from _meant_as_host(inner)


def _labels(selector: object) -> Mapping[str, str]:
    """Labels as far as they can be read: fewer are for more."""
    labels = selector.get("matchLabels") if isinstance(selector, Mapping) else None
    pairs = labels.items() if isinstance(labels, Mapping) else ()
    return {key: value for key, value in pairs if isinstance(key, str) and isinstance(value, str)}


def _may_ask_for_tls(value: object) -> bool:
    """Is there any key or word of TLS in it? A key that is misspelt has the right ones inside."""
    if isinstance(value, Mapping):
        return any(
            _is_of_tls(str(key)) or _may_ask_for_tls(inner)
            for key, inner in value.items()
            if not (key == "tls" and inner in (None, {}, _PLAIN))
        )
    if isinstance(value, list):
        return any(map(_may_ask_for_tls, value))
    return isinstance(value, str) and _letters(value) in _TLS_MODES


def _is_of_tls(key: str) -> bool:
    letters = _letters(key)
    return letters in _TLS_KEYS or "tls" in letters or "ssl" in letters


def _hosts_of_lines(text: str) -> tuple[str, ...]:
    """The values of each `host:`; () where one of them cannot be told from its line."""
    values = [double or single or plain for double, single, plain in _HOST_LINE.findall(text)]
    is_plain = not any(plain.startswith(_NOT_PLAIN) for _, _, plain in _HOST_LINE.findall(text))
    if len(values) < len(_HOST_KEY.findall(text)) or not is_plain:
        return ()
    return tuple(dict.fromkeys(values))


def _told(rule: ClosedRule, at: str) -> Problem:
    whom = (
        f"the host {', '.join(rule.hosts)}"
        if rule.hosts
        else f"every host that rules of {rule.namespace} may be for"
    )
    return Problem(
        code="GRD-002",
        resource=rule.ref,
        field=at,
        message=f"the rule has an error and may ask for TLS: until that is mended, {whom} gets no connection",
        hint="Mend the error that is told of beside this.",
    )


# --- Gateways ---------------------------------------------------------------------------------------


def _gateway(ref: ResourceRef, spec: object) -> Closed | None:
    given = spec if isinstance(spec, Mapping) else {}
    servers = given.get("servers")
    listed = servers if isinstance(servers, list) else [servers]
    found = tuple(
        one for index, value in enumerate(listed) for one in _servers(value, f"spec.servers[{index}]")
    )
    if not found:
        return None
    chosen = _labels({"matchLabels": given.get("selector")})
    meta = Metadata(name=ref.name, namespace=ref.namespace)
    stand_in = ClosedGateway(meta=meta, ref=ref, spec=GatewaySpec(servers=found, selector=chosen))
    return Closed(resource=stand_in, problem=None)


def _servers(value: Any, at: str) -> Iterator[Server]:
    """The server, if it has hosts that can be read and may be one of TLS."""
    if not isinstance(value, Mapping):
        return
    port = value.get("port")
    port = port if isinstance(port, Mapping) else {}
    number, protocol, bind = port.get("number"), port.get("protocol"), value.get("bind", "")
    if isinstance(protocol, str) and protocol.upper() in _PLAIN_PROTOCOLS:
        return
    hosts = value.get("hosts")
    hosts = tuple(
        one for one in (hosts if isinstance(hosts, list) else [hosts]) if isinstance(one, str) and one
    )
    if not hosts:
        return
    if isinstance(number, int) and 0 < number < 2**16 and isinstance(bind, str):
        yield _server(number, bind, hosts, at)
    else:
        yield _server(UNKNOWN_PORT, "", hosts, at)


def _server(number: int, bind: str, hosts: tuple[str, ...], at: str) -> Server:
    """What it asks of clients does not matter: nobody is served by it."""
    port = Port(number=number, protocol="HTTPS", name="withheld")
    return Server(port=port, bind=bind, hosts=hosts, tls=ServerTlsSettings(mode="SIMPLE"), at=at)
