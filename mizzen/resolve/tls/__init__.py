"""Certificates, keys and roots: out of Secrets, ConfigMaps and named files, judged as Envoy would; and who a proxy is.

Who shows or demands which is for `gateways/` and `services/`. Files are read by `mizzen.sources`, not here.
"""
