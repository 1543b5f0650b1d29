"""Access rules for requests: refusals or permissions (Istio's two filters of one name)."""

from mizzen._api import pb
from mizzen.envoy.authorization import rbac
from mizzen.envoy.parts import extension
from mizzen.model.authorization import Access

NAME = "envoy.filters.http.rbac"


def filter_of(access: Access) -> pb.TypedExtensionConfig:
    return extension(NAME, pb.RBAC(rules=rbac(access)))
