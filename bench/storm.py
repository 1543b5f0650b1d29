"""Thousands of files rewritten at once: how many rebuilds, how long, and whether the last written is served last."""

import argparse
import contextlib
import tempfile
import threading
import time
from pathlib import Path

from bench import measure, shop
from bench.running import Client, running

_LOOKED_AT = 20  # hosts, spread over all


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench storm", description=__doc__)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--storms", type=int, default=3)
    chosen = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        place = shop.Shop(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-"))))
        place.open()
        place.write_routes(chosen.files)
        up = stack.enter_context(running(place.folder))
        client = Client(place.authority.pem)
        stack.callback(client.close)
        client.until(shop.host(0), "0")
        time.sleep(3)
        measure.headline(f"{chosen.files:,} files rewritten at once")
        measure.row(
            "storm", "written s", "rebuilds", "served s", "CPU plane s", "envoy s", "order", widths=(10,)
        )
        for storm in range(1, chosen.storms + 1):
            generation = up.up.status()["generation"]
            before = up.cpu()
            seen = _Seen(place.authority.pem)
            begin = time.monotonic()
            for number in range(chosen.files):
                place.write(f"route-{number}", shop.virtual_service(number, f"{storm}.0"))
                if number in (chosen.files // 3, 2 * chosen.files // 3, chosen.files - 1):  # the first, again
                    place.write("route-0", shop.virtual_service(0, f"{storm}.{number}"))
            written = time.monotonic() - begin
            client.until(shop.host(0), f"{storm}.{chosen.files - 1}")
            for number in range(1, chosen.files, max(1, chosen.files // _LOOKED_AT)):
                client.until(shop.host(number), f"{storm}.0")
            served = time.monotonic() - begin
            order = seen.end()
            time.sleep(3)
            used = up.cpu() - before
            measure.row(
                f"{storm}",
                f"{written:.2f}",
                f"{up.up.status()['generation'] - generation}",
                f"{served:.2f}",
                f"{used.control_plane:.2f}",
                f"{used.envoy:.2f}",
                "kept" if order == sorted(order, key=_version) else f"lost: {order}",
                widths=(10,),
            )


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


class _Seen:
    """Asks for one host all the time; each version that answered, in the order of the answers."""

    def __init__(self, ca_pem: str) -> None:
        self._client = Client(ca_pem)
        self._versions: list[str] = []
        self._is_over = False
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        while not self._is_over:
            version = self._client.answer(shop.host(0))
            if version and version not in self._versions[-1:]:
                self._versions.append(version)
            time.sleep(0.005)

    def end(self) -> list[str]:
        self._is_over = True
        self._thread.join()
        self._client.close()
        return self._versions
