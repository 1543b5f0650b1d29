"""Scopes of a running Envoy are shown as the route table that they are the hosts of."""

from dataclasses import replace

from google.protobuf import json_format

from mizzen._api import pb
from mizzen.cli.dump import as_json, config_dump, routes
from mizzen.envoy.config import ROUTES, SCOPED_ROUTES, envoy_config
from mizzen.model.route import Host, Respond, Scoped
from mizzen.persistent import by_name
from tests.harness import small_models as small


def test_the_hosts_of_scopes_are_those_of_the_table_sent_whole() -> None:
    model = small.mirrored("a.test")
    answer = (small.route(Respond(status=200)),)
    hosts = by_name(
        (
            Host(name="b.test:443", domains=("b.test", "c.test"), routes=answer),
            Host(name="a.test:443", domains=("a.test",), routes=answer),
        )
    )
    table = replace(model.route_tables[0], hosts=hosts, misdirected=("x.test", "y.test"))
    model = replace(model, route_tables=(table,))
    whole = envoy_config(model, {}).message(ROUTES, table.name)
    scopes = envoy_config(replace(model, scoped=Scoped.ALWAYS), {}).bodies[SCOPED_ROUTES]
    assert isinstance(whole, pb.RouteConfiguration)

    section = pb.ScopedRoutesConfigDump()
    group = section.dynamic_scoped_route_configs.add(name=table.name)
    for body in reversed(list(scopes.values())):
        group.scoped_route_configs.add(type_url=SCOPED_ROUTES, value=body)
    dump = pb.ConfigDump()
    dump.configs.add().Pack(section)

    assert routes(config_dump(json_format.MessageToJson(dump))) == [
        {"name": table.name, "virtualHosts": [as_json(host) for host in whole.virtual_hosts]}
    ]
