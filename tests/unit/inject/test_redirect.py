"""The rules of redirection, and that the kernel takes them."""

import os
import shutil
import subprocess
import sys

import pytest

from mizzen.inject.redirect import Redirection, rules


def test_all_tcp_comes_in_through_the_sidecar_but_for_its_own_ports() -> None:
    text = rules(Redirection())
    assert "-A ISTIO_INBOUND -p tcp --dport 15021 -j RETURN" in text
    assert "-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT" in text
    assert "--to-ports 15006" in text
    assert "udp" not in text


def test_named_ports_alone() -> None:
    text = rules(Redirection(inbound_ports=("80", "443")))
    assert "-A ISTIO_INBOUND -p tcp --dport 80 -j ISTIO_IN_REDIRECT" in text
    assert "-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT" not in text


def test_what_the_proxy_itself_sends_is_left_alone() -> None:
    lines = rules(Redirection()).splitlines()
    own = lines.index("-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN")
    assert own < lines.index("-A ISTIO_OUTPUT -j ISTIO_REDIRECT")


def test_ranges_go_to_the_table_of_their_family() -> None:
    what = Redirection(include_ranges=("10.0.0.0/8", "fd00::/8"), exclude_ranges=("10.1.0.0/16",))
    four, six = rules(what), rules(what, ipv6=True)
    assert "-d 10.0.0.0/8 -j ISTIO_REDIRECT" in four
    assert "-d 10.1.0.0/16 -j RETURN" in four
    assert "fd00" not in four
    assert "-d fd00::/8 -j ISTIO_REDIRECT" in six
    assert "10.0" not in six


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("iptables-restore"), reason="needs root, and iptables"
)
def test_the_kernel_takes_them_and_a_second_time_changes_nothing() -> None:
    """In a network namespace of its own."""
    script = f"ip link set lo up && {sys.executable} -m mizzen redirect && {sys.executable} -m mizzen redirect && iptables-save -t nat"
    done = subprocess.run(["unshare", "-n", "sh", "-c", script], capture_output=True, text=True, check=False)
    if "Could not fetch rule set" in done.stderr or "not supported" in done.stderr:
        pytest.skip(f"this kernel has no nat table: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("-A PREROUTING -p tcp -j ISTIO_INBOUND") == 1
    assert done.stdout.count("-A OUTPUT -p tcp -j ISTIO_OUTPUT") == 1
    assert "-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001" in done.stdout
