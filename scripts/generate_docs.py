"""Writes docs/problems.md and docs/fields.md from what the code declares; with --check, only compares."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from mizzen.blame.ledger import CODES as BLAMING
from mizzen.envoy.scoping import CODES as SENDING
from mizzen.errors import CODES as COUNTING
from mizzen.guard import CODES as FAULTS
from mizzen.install.declaring import CODES as INSTALLING
from mizzen.istio_codes import NOT_TOLD, istio_code, istio_codes
from mizzen.node.system_roots import CATALOGUE as ROOTS
from mizzen.pipeline import CATALOGUE as BUILDING
from mizzen.plane.announcement_file import CATALOGUE as PROMISES
from mizzen.plane.dns_keeper import CATALOGUE as KEPT_RECORDS
from mizzen.plane.dns_upkeep import CATALOGUE as HANDED_RECORDS
from mizzen.plane.envoy_files import CATALOGUE as OPENED
from mizzen.plane.mesh_authority import CATALOGUE as MESH
from mizzen.plane.report import CATALOGUE as UPDATES
from mizzen.plane.server_ids import CATALOGUE as SERVER_IDS
from mizzen.plane.shared_ports import CATALOGUE as SHARED_PORTS
from mizzen.plane.taken_ports import CATALOGUE as PORTS
from mizzen.resolve.catalogue import CATALOGUE as RESOLVING
from mizzen.resources.catalogue import CATALOGUE as READING
from mizzen.resources.fields_table import fields_table
from mizzen.sources.cluster import CATALOGUE as CLUSTER
from mizzen.sources.files import CATALOGUE as FILES
from scripts.envoy_fields import meanings

DOCS = Path(__file__).resolve().parent.parent / "docs"

_AREAS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Files and documents", ("FILE", "YML")),
    ("Objects and their fields", ("KIND", "META", "FLD", "VAL")),
    ("References", ("REF",)),
    ("Gateways", ("GW", "PORT", "UNIX", "LOG")),
    ("HTTP/3 mirrors", ("H3", "H3P", "DNS", "QLB")),
    ("TLS and Secrets", ("TLS", "SEC")),
    ("Routes", ("RT",)),
    ("Ingresses", ("ING",)),
    ("Sidecars and who may do what", ("SC", "AZ", "JWT", "GRD", "CA", "EXT")),
    ("Services, endpoints and DestinationRules", ("BE",)),
    ("Logs and traces", ("TEL",)),
    ("While serving", ("XDS", "DISK")),
    ("Reading a cluster", ("K8S",)),
    ("Installing", ("INS",)),
    ("Faults of mizzen itself", ("INT",)),
)


def problems_page() -> str:
    """Every code with its sentence, by area. Raises ValueError for a code that belongs to none."""
    every: dict[str, str] = {}
    for catalogue in (
        *(
            FILES,
            READING,
            COUNTING,
            BUILDING,
            RESOLVING,
            SENDING,
            MESH,
            PORTS,
            SHARED_PORTS,
            SERVER_IDS,
            OPENED,
        ),
        *(KEPT_RECORDS, HANDED_RECORDS),
        *(PROMISES, UPDATES, ROOTS, CLUSTER, INSTALLING, FAULTS, BLAMING),
    ):
        every |= dict(catalogue)
    parts = [
        "# Problems",
        "",
        "What `mizzen analyze` and a running instance can find. A code keeps its meaning and is never used again.",
        "An *error* means that the element takes no part, or that what it asks for does not happen; the last good",
        "version of an object stays in force while a newer one has errors. A *warning* was kept and may surprise.",
        "Beside it stands the code that `istioctl analyze` tells the same by, where it has one.",
        "",
    ]
    for title, prefixes in _AREAS:
        parts += [f"## {title}", "", "| code | in Istio | what it means |", "|---|---|---|"]
        parts += [
            f"| {code} | {_in_istio(code)} | {every.pop(code)} |"
            for code in sorted(every)
            if code.rpartition("-")[0] in prefixes
        ]
        parts.append("")
    if every:
        raise ValueError(f"codes of no area: {', '.join(sorted(every))}")
    parts += ["## What istioctl tells and mizzen does not", "", "| in Istio | why not |", "|---|---|"]
    parts += [f"| {code} | {why} |" for code, why in sorted(NOT_TOLD.items())]
    return "\n".join(parts)


def _in_istio(code: str) -> str:
    """Istio's codes for one of ours; of values that are checked, an error below 100, else a warning."""
    return ", ".join(istio_codes().get(code) or (istio_code(code, is_error=code < "VAL-1"),))


def main() -> int:
    """The exit status: 1 when --check finds a page that is not what the code declares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    pages: Mapping[str, str] = {"problems.md": problems_page(), "fields.md": fields_table(meanings())}
    stale = []
    for name, text in pages.items():
        path = DOCS / name
        text = text.rstrip("\n") + "\n"
        if path.exists() and path.read_text() == text:
            continue
        if check:
            stale.append(f"docs/{name}")
        else:
            path.write_text(text)
    if stale:
        print(f"{', '.join(stale)} is not what the code declares: run `make docs`.")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
