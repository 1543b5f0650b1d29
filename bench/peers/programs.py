"""Programs on this machine: in PATH, or in a root folder of another system, where they run by chroot(8)."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Program:
    """One that is there."""

    path: str  # within its root
    root: Path

    def command(self, arguments: Sequence[str]) -> list[str]:
        inside = [] if self.root == Path("/") else ["chroot", str(self.root)]
        return [*inside, self.path, *arguments]

    def outside(self, folder: str) -> Path:
        """Where a folder that the program sees is for us."""
        return self.root / folder.lstrip("/")

    def output(self, arguments: Sequence[str]) -> str:
        """What it prints, on both channels."""
        return subprocess.run(
            self.command(arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        ).stdout

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> "subprocess.Popen[bytes]":
        """Run it until it is told to end; what it prints goes to `log`."""
        with log.open("wb") as sink:
            return subprocess.Popen(
                self.command(arguments),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,  # as in `bare_envoy.envoy`
            )


def program(name: str, root: Path | None) -> Program | None:
    """From the root folder, else from PATH; None when neither has it."""
    if root is not None:
        for folder in _FOLDERS.split(":"):
            path = Path(folder) / name
            if (root / path.relative_to("/")).exists():
                return Program(str(path), root)
    path_here = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_FOLDERS}")
    return Program(path_here, Path("/")) if path_here else None


def how_to_make(root: str) -> str:
    """The two commands that make a root folder with everything: the servers, and h2load with HTTP/3."""
    packages = (
        "nginx,haproxy,caddy,ca-certificates,build-essential,pkg-config,dpkg-dev,libev-dev,libc-ares-dev,zlib1g-dev,"
        "libssl-dev,libngtcp2-dev,libngtcp2-crypto-ossl-dev,libnghttp3-dev"
    )
    build = (
        "cd /usr/src && apt-get update && apt-get source --download-only --tar-only nghttp2 && "
        "tar xf nghttp2_*.orig.tar.* && cd nghttp2-*/ && "
        "./configure --enable-app --enable-http3 --disable-shared --without-libxml2 --without-jansson && "
        "make -j2 -C lib && make -j2 -C third-party && make -j2 -C src h2load && cp src/h2load /usr/local/bin/"
    )
    return (
        # A mirror may be older than its list says it is good for.
        "mmdebstrap --variant=minbase --aptopt='Acquire::Check-Valid-Until \"false\"' "
        f"--include={packages} sid {root} "
        "'deb http://deb.debian.org/debian sid main' 'deb-src http://deb.debian.org/debian sid main'\n"
        f"chroot {root} sh -c '{build}'"
    )
