"""Access -> Envoy's RBAC: the same rules for requests and for connections."""

from typing import assert_never

from mizzen._api import pb
from mizzen.envoy.parts import regex, string_matcher_or_any
from mizzen.model.authorization import (
    Access,
    Address,
    All,
    AnyOf,
    Claim,
    Expression,
    Header,
    Not,
    Path,
    Peer,
    Port,
    Sni,
    Suffix,
    Text,
)
from mizzen.model.route import Present

JWT = "envoy.filters.http.jwt_authn"


def rbac(access: Access) -> pb.RBACRules:
    """The rules of one filter."""
    out = pb.RBACRules(action=pb.RBACRules.DENY if access.deny else pb.RBACRules.ALLOW)
    for rule in access.rules:
        out.policies[rule.name].permissions.append(permission(rule.what))
        out.policies[rule.name].principals.append(principal(rule.who))
    return out


def permission(expression: Expression) -> pb.Permission:
    """What is done. Who does it cannot be said here."""
    match expression:
        case All(of=()):
            return pb.Permission(any=True)
        case All(of=parts):
            return pb.Permission(and_rules=pb.Permission.Set(rules=[permission(one) for one in parts]))
        case AnyOf(of=()):
            return pb.Permission(not_rule=pb.Permission(any=True))
        case AnyOf(of=parts):
            return pb.Permission(or_rules=pb.Permission.Set(rules=[permission(one) for one in parts]))
        case Not(of=part):
            return pb.Permission(not_rule=permission(part))
        case Header():
            return pb.Permission(header=header(expression))
        case Path():
            return pb.Permission(url_path=path(expression))
        case Port(number=number):
            return pb.Permission(destination_port=number)
        case Address(cidr=cidr):
            return pb.Permission(destination_ip=cidr_range(cidr))
        case Sni(value=value):
            return pb.Permission(requested_server_name=text(value))
        case Peer() | Claim():
            raise TypeError(f"{expression} is about who does it")
        case other:
            assert_never(other)


def principal(expression: Expression) -> pb.Principal:
    """Who does it. Some of what is done can be said here too."""
    match expression:
        case All(of=()):
            return pb.Principal(any=True)
        case All(of=parts):
            return pb.Principal(and_ids=pb.Principal.Set(ids=[principal(one) for one in parts]))
        case AnyOf(of=()):
            return pb.Principal(not_id=pb.Principal(any=True))
        case AnyOf(of=parts):
            return pb.Principal(or_ids=pb.Principal.Set(ids=[principal(one) for one in parts]))
        case Not(of=part):
            return pb.Principal(not_id=principal(part))
        case Peer(name=name):
            # Without a name, Envoy takes whoever TLS lets in for somebody, with a certificate of their own or not.
            return pb.Principal(authenticated=pb.Principal.Authenticated(principal_name=text(name)))
        case Address(whose="client", cidr=cidr):
            return pb.Principal(remote_ip=cidr_range(cidr))
        case Address(cidr=cidr):
            return pb.Principal(direct_remote_ip=cidr_range(cidr))
        case Header():
            return pb.Principal(header=header(expression))
        case Path():
            return pb.Principal(url_path=path(expression))
        case Claim():
            return pb.Principal(metadata=claim(expression))
        case Port() | Sni():
            raise TypeError(f"{expression} is about what is done")
        case other:
            assert_never(other)


def text(value: Text, *, ignore_case: bool = False) -> pb.StringMatcher:
    if isinstance(value, Suffix):
        out = pb.StringMatcher(suffix=value.value)
    elif isinstance(value, Present):
        out = pb.StringMatcher(safe_regex=regex(".+"))
    else:
        out = string_matcher_or_any(value)
    out.ignore_case = ignore_case and not out.HasField("safe_regex")
    return out


def header(expression: Header) -> pb.HeaderMatcher:
    if isinstance(expression.value, Present):
        return pb.HeaderMatcher(name=expression.name, present_match=True)
    return pb.HeaderMatcher(name=expression.name, string_match=text(expression.value))


def path(expression: Path) -> pb.PathMatcher:
    return pb.PathMatcher(path=text(expression.value, ignore_case=expression.ignore_case))


def claim(expression: Claim) -> pb.MetadataMatcher:
    """A claim, as the JWT filter leaves it under `payload`: a text, or a list with such a text in it."""
    one = pb.ValueMatcher(string_match=text(expression.value))
    listed = pb.ValueMatcher(list_match=pb.ListMatcher(one_of=one))
    return pb.MetadataMatcher(
        filter=JWT,
        path=[pb.MetadataMatcher.PathSegment(key=key) for key in ("payload", *expression.path)],
        value=pb.ValueMatcher(or_match=pb.OrMatcher(value_matchers=[listed, one])),
    )


def cidr_range(cidr: str) -> pb.CidrRange:
    """An address alone is a range of one."""
    address, slash, length = cidr.partition("/")
    out = pb.CidrRange(address_prefix=address)
    out.prefix_len.value = int(length) if slash else (128 if ":" in address else 32)
    return out
