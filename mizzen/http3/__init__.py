"""HTTP/3 beside HTTPS: which server may have a mirror (`eligibility`), and the life of its announcement: at one port (`life`),
of one server (`server`), among replicas (`replicas`), as it is written down (`written`).

All pure: proofs, what clients were told, and the time are handed in. Making requests is for `mizzen.probe`, deciding
when for `mizzen.plane`, Envoy's words for it for `mizzen.envoy`.
"""
