"""CPU per proxied request of the gateway, next to a bare Envoy with the smallest configuration."""

import argparse

from bench import feature_files, measure, paired, subjects


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench cpu", description=__doc__)
    paired.add_sizes(parser)
    chosen = parser.parse_args(arguments)
    with subjects.bench(paired.cores()) as bench:
        files = feature_files.base(bench.pair, subjects.UPSTREAM)
        with subjects.mizzen("mizzen", files, bench) as up:
            measure.headline(
                f"CPU per request in us, and its ratio to a bare Envoy ({chosen.requests:,} requests x {chosen.rounds} "
                f"rounds in turns, {paired.IN_FLIGHT} in flight, one worker on one core, HTTP/1.1 to the backend)"
            )
            measure.row("", "mizzen", "bare", "ratio", "control", widths=(10,))
            for protocol in paired.PROTOCOLS:
                bare, again, ours = paired.compared(
                    (*bench.bare, up.subject), protocol, bench.authority.pem, chosen.requests, chosen.rounds
                )
                measure.row(
                    protocol, ours.value, bare.value, f"{ours.ratio:.3f}", f"{again.ratio:.3f}", widths=(10,)
                )
    print(
        "  control: the ratio of a second bare Envoy that is like the first; smaller differences say nothing"
    )
