"""Servers -> listeners: filter chains, connections that are passed on, QUIC mirrors, the edge towards clients, logs and spans.

What happens with a request is not known here: a chain has the name of a route table, which `routes/` fills.
"""
