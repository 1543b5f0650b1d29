"""The mesh's certificate authority: who a workload is, and the certificates that prove it.

All but `store` is pure: time and randomness are handed in. Who may ask over the network is for `mizzen.serve`, where
the root is kept in a cluster for `mizzen.cluster`.
"""
