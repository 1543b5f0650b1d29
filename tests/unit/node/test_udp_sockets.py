import socket

from mizzen.node.udp_sockets import kernel_udp, unconnected
from mizzen.status import UdpSocket

TABLE = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
10343: 00000000:20FB 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 6622456 2 0000000000000000 17
10344: 0100007F:0035 0200007F:A001 01 00000000:00000000 00:00000000 00000000     0        0 6622455 2 0000000000000000 9
10345: 00000000000000000000000001000000:01BB 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1 2 0 0
"""


def test_sockets_that_take_from_anybody_are_told_with_their_drops() -> None:
    assert unconnected(TABLE) == [
        UdpSocket(address="0.0.0.0", port=8443, drops=17),
        UdpSocket(address="::1", port=443),
    ]
    assert unconnected("") == []


def test_the_kernel_of_this_machine_is_asked() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        for pid in (0, 2**30):  # a process that is not there: our own network
            found = kernel_udp(pid)
            assert UdpSocket(address="127.0.0.1", port=one.getsockname()[1]) in found.sockets
            assert found.receive_max is None or found.receive_max >= 2048
