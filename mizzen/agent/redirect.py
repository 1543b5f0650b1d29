"""Setting the rules of a Pod's redirection in the network namespace of this process."""

import subprocess

from mizzen.inject.redirect import Redirection, jumps, rules

_SECONDS = 30


class RedirectError(RuntimeError):
    """The rules could not be set. The message is a sentence for users."""


def redirect(what: Redirection, *, ipv6: bool) -> None:
    """Set the rules, for IPv4 and where there is one for IPv6; whatever of ours was there is replaced. RedirectError."""
    for tool, is_ipv6 in (("iptables", False), ("ip6tables", True)):
        if is_ipv6 and not ipv6:
            continue
        _run([f"{tool}-restore", "--noflush", "--wait"], rules(what, ipv6=is_ipv6))
        for chain, *rule in jumps():
            if _status([tool, "--wait", "-t", "nat", "-C", chain, *rule]):
                _run([tool, "--wait", "-t", "nat", "-A", chain, *rule])


def has_ipv6() -> bool:
    """Does this network namespace have an IPv6 address beyond loopback, and a table to redirect it?"""
    try:
        with open("/proc/net/if_inet6") as file:
            addressed = any(not line.rstrip().endswith(" lo") for line in file)
    except OSError:
        return False
    return addressed and not _status(["ip6tables", "--wait", "-t", "nat", "-L", "-n"])


def _status(command: list[str]) -> int:
    try:
        return subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False).returncode
    except OSError:
        return 127


def _run(command: list[str], text: str = "") -> None:
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except OSError as error:
        raise RedirectError(f"{command[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        why = done.stderr.strip() or f"exit status {done.returncode}"
        raise RedirectError(f"{command[0]} refused the rules: {why}")
