"""One VirtualService changed where the server has a wildcard host among its routes."""

import argparse

from bench.change import CHANGES, table


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench wildcards", description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--changes", type=int, default=CHANGES)
    chosen = parser.parse_args(arguments)
    title = "One VirtualService changed among N hosts and a wildcard host"
    table(title, chosen.hosts, "virtualservice", chosen.changes, wildcard=True)
