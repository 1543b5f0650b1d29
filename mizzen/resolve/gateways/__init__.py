"""The Gateways of one gateway: which of their servers it serves, who owns a host, which VirtualServices are attached, how TLS ends.

Where requests go is not known here: that is for `services/` and `routes/`.
"""
