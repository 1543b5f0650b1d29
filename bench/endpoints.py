"""Endpoint churn: so many EndpointSlices rewritten in a second. Does what is served keep up, by EDS alone?"""

import argparse
import contextlib
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench import bare_envoy, measure, shop
from bench.running import Client, running

# How often Envoy has taken up something of each kind but endpoints.
_OTHERS = r"^cluster_manager\.cds\.update_success$|^listener_manager\.lds\.update_success$|\.s?rds\..*update_success$"
ROUNDS_OF_A_FLIP = 4
_TAKEN = r"^cluster\..*\.update_success$"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench endpoints", description=__doc__)
    parser.add_argument("--services", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=1_000, help="changes in a second")
    parser.add_argument("--seconds", type=int, default=15)
    chosen = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        place = shop.Shop(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-"))))
        place.open()
        for number in range(chosen.services):
            place.write(f"service-{number}", shop.service(number))
            place.write(f"slice-{number}", shop.endpoint_slice(number, shop.BACKENDS[0]))
            text = shop.virtual_service(number, "0", service=shop.service_host(number))
            place.write(f"route-{number}", text)
        for text, port in zip("ab", shop.BACKENDS, strict=True):
            stack.enter_context(bare_envoy.envoy(bare_envoy.backend(port, {"/": text})))
        up = stack.enter_context(running(place.folder))
        client = Client(place.authority.pem)
        stack.callback(client.close)
        client.until(shop.host(0), "a", "/part-0")
        time.sleep(2)
        others, taken, sent = up.stats(_OTHERS), up.stats(_TAKEN), up.received()
        cpu, begin = up.cpu(), time.monotonic()
        churn = _Churn(place, chosen.services, chosen.rate, chosen.seconds)
        writer = threading.Thread(target=churn.write)
        writer.start()
        lags = churn.watch(client)
        writer.join()
        took = time.monotonic() - begin
        late = client.until(shop.host(1), "ab"[churn.last[1]], "/part-0")
        used = (up.cpu() - cpu).scaled(100 / took)
        now = up.stats(_TAKEN)
        updates = sum(now.values()) - sum(taken.values())
        changed = {name: value for name, value in up.stats(_OTHERS).items() if value != others.get(name)}
        measure.headline(
            f"{chosen.rate} EndpointSlices rewritten in a second, in {chosen.services} services, for {chosen.seconds} s"
        )
        print(f"  written: {churn.written} ({churn.written / took:.0f} a second), late {churn.behind:.1f} s")
        print(
            f"  write -> served: median {statistics.median(lags):.0f} ms, most {max(lags):.0f} ms "
            f"({len(lags)} looked at); the last was served {late * 1e3:.0f} ms after the end"
        )
        print(
            f"  updates that Envoy took: {updates}, {(up.received() - sent) / churn.written:.0f} bytes for each change"
        )
        print(
            f"  % of a core: control plane {used.control_plane:.0f}, supervisor {used.supervisor:.0f}, "
            f"Envoy {used.envoy:.0f}"
        )
        print(f"  other than endpoints: {changed or 'nothing was sent'}")


@dataclass(slots=True)
class _Churn:
    """Writes slices one after the other. Service 0 and 1 flip between the two backends, but not in each round: changes that
    come fast are served together, and a flip that is taken back at once is never seen. The others go from address to address.
    """

    place: shop.Shop
    services: int
    rate: int
    seconds: int
    written: int = 0
    behind: float = 0.0  # seconds that the writer was late at the end
    last: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 0})
    moments: "list[tuple[float, int]]" = field(
        default_factory=list
    )  # when service 0 was written, with which backend
    is_over: bool = False

    def write(self) -> None:
        texts = [shop.endpoint_slice(number, 8080, "ADDRESS") for number in range(self.services)]
        begin = time.monotonic()
        total = self.rate * self.seconds
        for self.written in range(1, total + 1):
            number = self.written % self.services
            round_ = self.written // self.services
            is_flip = number in self.last and round_ % ROUNDS_OF_A_FLIP == 0
            if number in self.last:
                self.last[number] ^= is_flip
                text = shop.endpoint_slice(number, shop.BACKENDS[self.last[number]])
            else:
                address = f"10.{round_ % 250}.{number // 250}.{number % 250 + 1}"
                text = texts[number].replace("ADDRESS", address)
            self.place.write(f"slice-{number}", text)
            if number == 0 and is_flip:
                self.moments.append((time.monotonic(), self.last[0]))
            ahead = begin + self.written / self.rate - time.monotonic()
            if ahead > 0.005:
                time.sleep(ahead)
        self.behind = max(0.0, time.monotonic() - begin - self.seconds)
        self.is_over = True

    def watch(self, client: Client) -> list[float]:
        """Milliseconds until each change of service 0 was seen."""
        lags: list[float] = []
        seen = 0
        while not (self.is_over and seen == len(self.moments)):
            if seen < len(self.moments):
                moment, which = self.moments[seen]
                if client.answer(shop.host(0), "/part-0") == "ab"[which]:
                    lags.append((time.monotonic() - moment) * 1_000)
                    seen += 1
                elif time.monotonic() - moment > 60:
                    raise SystemExit("bench: an endpoint's change is not served")
            time.sleep(0.005)  # the writer is a thread of this process
        return lags
