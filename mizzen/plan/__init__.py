"""What a change of the configuration does to connections, before it is applied.

Two builds, the one that is served and the one that would be, are compared as Envoy compares them: resource by resource,
chain by chain (`surface`, `compare`). What that does to connections was measured on a running Envoy, and is held against it
by tests/e2e/test_plan.py. Whose fault a change is, is tried: what an object says now is put back to what it said before, and
where the effect is then another, that was it (`differences`, `causes`). All of it is pure; who reads files, asks a running
instance or a cluster is `mizzen.cli.plan`.
"""
