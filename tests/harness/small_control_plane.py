"""A control plane of a few lines: gateways and ports out of a JSON file, each answering 200 with its text.

python small_control_plane.py RUN_DIR FILE     FILE: {"NAME": {"port": 8080, "text": "hello"}}

FILE {"status": ...} is a status that is told as it is; RUN_DIR/answers has a byte for each time.
"""

import asyncio
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from mizzen._api import pb
from mizzen.authority.proof import proof_of_proxy
from mizzen.node.control_socket import ControlSocket
from mizzen.node.instance import Instance
from mizzen.node.restore import Restorer
from mizzen.plane.upkeep import Upkeep
from mizzen.serve.ads import AdsServer
from mizzen.xds.resource_type import CLUSTER, LISTENER
from mizzen.xds.snapshot import snapshot


def listener(port: int, text: str) -> pb.Listener:
    hcm = pb.HttpConnectionManager(stat_prefix="small")
    host = hcm.route_config.virtual_hosts.add(name="all", domains=["*"])
    host.routes.add(
        match=pb.RouteMatch(prefix="/"),
        direct_response=pb.DirectResponseAction(status=200, body=pb.DataSource(inline_string=text)),
    )
    hcm.http_filters.add(name="envoy.filters.http.router").typed_config.Pack(pb.Router())
    out = pb.Listener(name=f"127.0.0.1_{port}")
    out.address.socket_address.address = "127.0.0.1"
    out.address.socket_address.port_value = port
    network_filter = out.filter_chains.add().filters.add(name="envoy.filters.network.http_connection_manager")
    network_filter.typed_config.Pack(hcm)
    return out


async def main() -> None:
    instance, file = Instance(Path(sys.argv[1])), Path(sys.argv[2])
    if "complaint" in (gateways := json.loads(file.read_text())):
        sys.exit(gateways["complaint"])
    instance.ads_socket.unlink(missing_ok=True)
    ads = AdsServer(socket_path=instance.ads_socket, proof=partial(proof_of_proxy, instance.key()))
    await ads.start()

    def status() -> dict[str, object]:
        gateways = json.loads(file.read_text())
        if "status" in gateways:
            with (instance.run_dir / "answers").open("a") as answers:
                answers.write(".")
            return gateways["status"]
        for name, wanted in gateways.items():
            found = {f"127.0.0.1_{wanted['port']}": listener(wanted["port"], wanted["text"])}
            ads.publish(f"{name}.test", snapshot({LISTENER.url: found, CLUSTER.url: {}}))
        holding = {
            client.gateway for client in ads.status() if (of := client.stream.of(LISTENER.url)) and of.acked
        }
        words = {f"{name}.test": {"synced": f"{name}.test" in holding, "ready": True} for name in gateways}
        proxies = [{"name": name, "namespace": "test", "labels": {}} for name in gateways]
        return {"pid": os.getpid(), "sound": True, "proxies": proxies, "gateways": words}

    control = ControlSocket(instance.control_socket, status, instance.key())
    await control.start()
    upkeep = Upkeep(
        instance=instance,
        ads=ads,
        gateways=dict,
        rebuild=lambda: asyncio.sleep(0),
        on_shared=lambda _, __: None,
    )
    files = asyncio.create_task(upkeep.look_after_files(Restorer(), ads, control))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    files.cancel()
    await ads.stop()


asyncio.run(main())
