"""Reading what a running Envoy holds."""

import subprocess
import sys

SCRIPT = """
import json
from mizzen.cli.dump import config_dump, listeners
dump = config_dump(json.dumps({"configs": [{
    "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
    "dynamic_listeners": [{"name": "a", "active_state": {"listener": {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": "a",
        "filter_chains": [{"filters": [{"name": "echo", "typed_config":
            {"@type": "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo"}}]}],
    }}}],
}]}))
print(listeners(dump)[0]["filterChains"][0]["filters"][0]["typedConfig"]["@type"])
"""


def test_messages_that_an_envoyfilter_brought_are_read() -> None:
    """In a process of its own: others may have been asked for here already."""
    made = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert made.stdout.strip().endswith("echo.v3.Echo")
