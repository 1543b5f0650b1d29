"""Makes a control plane say what Envoy does not take, or dies of: the next fault of that kind, which nobody knows.

In PYTHONPATH of `mizzen up`. What an object whose name begins with `raw-refused` or `raw-deadly` becomes is altered after all
that mizzen checks. Of an AuthorizationPolicy the paths /raw-refused and /raw-deadly are.
"""

import sys
from typing import Any

if "_control-plane" in sys.argv or "-m" in sys.orig_argv:
    from mizzen import guard
    from mizzen._api import pb
    from mizzen.envoy import authorization
    from mizzen.model.authorization import Path
    from mizzen.model.route import Exact

    REFUSED, DEADLY = "raw-refused", "raw-deadly"
    TEMPLATE = "envoy.path.match.uri_template.uri_template_matcher"

    def packed(message: Any) -> Any:
        out = pb.Any()
        out.Pack(message, deterministic=True)
        return out

    def deadly() -> pb.Permission:
        """Envoy 1.40 ends with std::terminate."""
        match = pb.UriTemplateMatchConfig(path_template="/{")
        return pb.Permission(uri_template=pb.TypedExtensionConfig(name=TEMPLATE, typed_config=packed(match)))

    def refused() -> pb.Permission:
        return pb.Permission(
            uri_template=pb.TypedExtensionConfig(name="nobody", typed_config=packed(pb.Cluster(name="x")))
        )

    def fragment(name: str) -> pb.Permission:
        return deadly() if name.startswith(DEADLY) else refused()

    def alter(made: Any, name: str) -> Any:
        """What a translation made, with something in it that Envoy does not take."""
        if isinstance(made, pb.Route):
            rules = pb.RBACRules(action=pb.RBACRules.DENY)
            rules.policies["raw"].permissions.append(fragment(name))
            rules.policies["raw"].principals.add(any=True)
            per_route = pb.RBACPerRoute(rbac=pb.RBAC(rules=rules))
            made.typed_per_filter_config["envoy.filters.http.rbac"].Pack(per_route)
        elif isinstance(made, pb.FilterChain):
            made.filters.insert(0, pb.Filter(name="nobody", typed_config=packed(pb.Cluster(name="x"))))
        elif isinstance(made, bytes):  # of a DestinationRule: a cluster
            cluster = pb.Cluster.FromString(made)
            cluster.upstream_bind_config.source_address.address = "no address"
            cluster.upstream_bind_config.source_address.port_value = 0
            return cluster.SerializeToString(deterministic=True)
        return made

    _run, _permission = guard.run, authorization.permission

    def run(stage: guard.Stage, ref: Any, make: Any) -> Any:
        made = _run(stage, ref, make)
        is_marked = stage is guard.Stage.TRANSLATE and ref.name.startswith((REFUSED, DEADLY))
        return alter(made, ref.name) if is_marked else made

    def permission(expression: Any) -> pb.Permission:
        value = expression.value if isinstance(expression, Path) else None
        word = value.value.removeprefix("/") if isinstance(value, Exact) else ""
        if word.startswith((REFUSED, DEADLY)):
            return fragment(word)
        return _permission(expression)

    guard.run, authorization.permission = run, permission
