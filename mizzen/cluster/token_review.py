"""Whose a ServiceAccount's token is, and what that ServiceAccount may read: the API server's own judgement."""

import asyncio
import logging
from dataclasses import field

import grpc

from mizzen.authority.identity import Identity, IdentityError
from mizzen.inject.container import TOKEN_AUDIENCE
from mizzen.kube.client import Kube, KubeError
from mizzen.lazy import dataclass
from mizzen.serve.credentials import Refused

ALLOWED_SECONDS, DENIED_SECONDS = 300.0, 60.0  # how long a judgement holds, as Istio keeps it
_PREFIX = "system:serviceaccount:"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Accounts:
    """Asks the API server."""

    kube: Kube
    trust_domain: str
    audience: str = TOKEN_AUDIENCE
    _judged: dict[Identity, tuple[bool, float]] = field(default_factory=dict)

    async def whose(self, token: str) -> Identity:
        """The identity of a token (TokenReview). Refused when it is nobody's, or not meant for us."""
        asked = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [self.audience]},
        }
        try:
            answer = await self.kube.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", asked)
        except KubeError as error:
            _log.warning("a token cannot be reviewed: %s", error)
            raise Refused(grpc.StatusCode.UNAVAILABLE, "tokens cannot be reviewed now") from None
        status = answer.get("status", {})
        if not status.get("authenticated"):
            raise _refused(status.get("error") or "the token is nobody's")
        if self.audience not in status.get("audiences", ()):
            raise _refused(f"the token is not for the audience {self.audience}")
        name = status.get("user", {}).get("username", "")
        if not name.startswith(_PREFIX):
            raise _refused(f"{name} is no ServiceAccount")
        namespace, _, account = name.removeprefix(_PREFIX).partition(":")
        try:
            return Identity(trust_domain=self.trust_domain, namespace=namespace, service_account=account)
        except IdentityError as error:
            raise _refused(str(error)) from None

    async def may_read_secrets(self, identity: Identity) -> bool:
        """May it list the Secrets of its namespace (SubjectAccessReview)? What cannot be asked is denied."""
        now = asyncio.get_running_loop().time()
        allowed, until = self._judged.get(identity, (False, 0.0))
        if now < until:
            return allowed
        user = f"{_PREFIX}{identity.namespace}:{identity.service_account}"
        asked = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": user,
                "groups": [
                    "system:serviceaccounts",
                    f"system:serviceaccounts:{identity.namespace}",
                    "system:authenticated",
                ],
                "resourceAttributes": {
                    "namespace": identity.namespace,
                    "verb": "list",
                    "resource": "secrets",
                },
            },
        }
        try:
            answer = await self.kube.send("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", asked)
        except KubeError as error:
            _log.warning("whether %s may read Secrets cannot be asked: %s", identity, error)
            return allowed  # as it was judged last
        allowed = bool(answer.get("status", {}).get("allowed"))
        self._judged[identity] = (allowed, now + (ALLOWED_SECONDS if allowed else DENIED_SECONDS))
        return allowed


def _refused(message: str) -> Refused:
    return Refused(grpc.StatusCode.UNAUTHENTICATED, message)
