"""From what was measured to what is said of each link: pure functions, one module for each stretch of the way."""

from mizzen.doctor.links import Report, ordered
from mizzen.doctor.measured import Walk
from mizzen.doctor.verdicts import announcement, answers, certificates, names, over_quic, over_tcp, sessions


def judge(walk: Walk) -> Report:
    """The report of a walk."""
    return ordered(
        walk.target.url,
        [
            names.dns(walk),
            over_tcp.tcp(walk),
            over_tcp.tls(walk),
            certificates.certificate(walk),
            over_tcp.alpn(walk),
            over_tcp.http(walk),
            announcement.alt_svc(walk),
            over_quic.udp(walk),
            over_quic.quic(walk),
            certificates.quic_certificate(walk),
            answers.h3(walk),
            answers.answers(walk),
            sessions.client_certificate(walk),
            sessions.resumption(walk),
            sessions.early_data(walk),
            sessions.migration(walk),
            over_quic.mtu(walk),
        ],
    )
