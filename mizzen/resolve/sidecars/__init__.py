"""Sidecars: what of the mesh reaches an application, and what it reaches through its proxy.

It is made of the other rooms' parts, as `resolve.gateway_model` is for gateways; none of them knows of sidecars.
"""
