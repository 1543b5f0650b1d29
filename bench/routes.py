"""100,000 routes: a cold start, and one change among them."""

import argparse

from bench import change, cold


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench routes", description=__doc__)
    parser.add_argument("--hosts", type=int, default=33_334, help="with three routes each")
    parser.add_argument("--changes", type=int, default=15)
    chosen = parser.parse_args(arguments)
    cold.table([chosen.hosts], 3, 1)
    title = f"One VirtualService changed among {3 * chosen.hosts:,} routes"
    change.table(title, [chosen.hosts], "virtualservice", chosen.changes)
