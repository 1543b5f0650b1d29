"""The keys that an issuer publishes: fetched from their address, or from the one that its description names."""

import json
from typing import Any

from mizzen.model.token import KeySource
from mizzen.resources.formats import web_address
from mizzen.sources.fetching import Unfetched, Way, fetched


async def key_set_of(source: KeySource, way: Way) -> str:
    """A JSON Web Key Set (RFC 7517), as it was published. Unfetched says why there is none. Each of two documents may take
    the time of the source."""
    seconds, url = source.timeout.total_seconds(), source.url
    if source.discovered:
        url = _named(_object(await fetched(url, way, seconds)))
    body = await fetched(url, way, seconds)
    if not isinstance(_object(body).get("keys"), list):
        raise Unfetched("there is no JSON Web Key Set")
    return body.decode()


def _named(description: dict[str, Any]) -> str:
    """Where an issuer says that its keys are (OpenID Connect Discovery 1.0, section 3)."""
    url = description.get("jwks_uri")
    if not isinstance(url, str):
        raise Unfetched("the issuer's description names no jwks_uri")
    if wrong := web_address.fault(url):
        raise Unfetched(f"the jwks_uri of the issuer's description is not asked: {wrong}")
    return url


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:  # also where it is no UTF-8
        raise Unfetched("there is no JSON") from error
    if not isinstance(found, dict):
        raise Unfetched("there is no JSON object")
    return found
