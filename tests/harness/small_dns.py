"""A DNS server that answers from the lines of a zone file, over UDP on this machine."""

import contextlib
import socket
import threading
from types import TracebackType

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.zone


class DnsServer:
    """Answers until the block ends. `zone`: absolute names with TTL and class, one record a line."""

    def __init__(self, zone: str) -> None:
        text = f". 60 IN SOA . . 1 60 60 60 60\n. 60 IN NS .\n{zone}"
        self._zone = dns.zone.from_text(text, origin=".", relativize=False, check_origin=False)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "DnsServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # it is not connected; who waits in it is woken all the same
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, sender = self._socket.recvfrom(4096)
                if not data:
                    return
                self._socket.sendto(self._answer(dns.message.from_wire(data)).to_wire(), sender)
            except OSError:
                return

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA | dns.flags.RA
        asked = query.question[0]
        node = self._zone.get_node(asked.name)
        if node is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            return answer
        rdataset = node.get_rdataset(asked.rdclass, asked.rdtype)
        if rdataset is not None:
            answer.answer.append(dns.rrset.from_rdata_list(asked.name, rdataset.ttl, list(rdataset)))
        return answer
