"""The roots of an authority as text: what is kept in a file (mode 0600), or in a Secret. It holds keys."""

import json
from datetime import datetime
from typing import Any

from mizzen.authority.root import (
    AuthorityError,
    Signer,
    certificates_pem,
    key_pem,
    read_certificates,
    read_key,
)
from mizzen.authority.rotation import Retired, Roots, Successor

_VERSION = 1


def encode(roots: Roots) -> bytes:
    """JSON, with private keys in it."""
    successor = roots.successor
    value = {
        "version": _VERSION,
        "active": _signer_value(roots.active),
        "successor": successor
        and {
            "signer": _signer_value(successor.signer),
            "made": successor.made.isoformat(),
            "distributed": successor.distributed and successor.distributed.isoformat(),
        },
        "retired": [
            {"roots": certificates_pem(each.roots), "until": each.until.isoformat()} for each in roots.retired
        ],
    }
    return json.dumps(value, indent=1).encode() + b"\n"


def decode(data: bytes) -> Roots:
    """What `encode` wrote. Raises AuthorityError; the message quotes nothing."""
    try:
        value = json.loads(data)
        if value["version"] != _VERSION:
            raise AuthorityError(f"the stored authority is of version {value['version']}, not {_VERSION}")
        successor = value["successor"]
        return Roots(
            active=_signer(value["active"]),
            successor=successor
            and Successor(
                signer=_signer(successor["signer"]),
                made=datetime.fromisoformat(successor["made"]),
                distributed=successor["distributed"] and datetime.fromisoformat(successor["distributed"]),
            ),
            retired=tuple(
                Retired(
                    roots=read_certificates(each["roots"].encode(), "roots"),
                    until=datetime.fromisoformat(each["until"]),
                )
                for each in value["retired"]
            ),
        )
    except AuthorityError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AuthorityError("the stored authority is damaged") from None


def _signer_value(signer: Signer) -> dict[str, str]:
    return {
        "certificate": certificates_pem((signer.certificate,)),
        "key": key_pem(signer.key),
        "chain": certificates_pem(signer.chain),
        "roots": certificates_pem(signer.roots),
    }


def _signer(value: dict[str, Any]) -> Signer:
    return Signer(
        certificate=read_certificates(value["certificate"].encode(), "certificate")[0],
        key=read_key(value["key"].encode(), "key"),
        chain=read_certificates(value["chain"].encode(), "chain") if value["chain"] else (),
        roots=read_certificates(value["roots"].encode(), "roots"),
    )
