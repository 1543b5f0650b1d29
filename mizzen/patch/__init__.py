"""EnvoyFilters applied: patches of resources of Envoy that have been made. Pure.

A stage of its own between translating (envoy/) and sending (xds/), as in Istio: what is patched is what Envoy would be told.
It costs nothing where there are no patches, and touches no resource that none is for. Which patches there are, in which order,
and whether they can be understood, is decided in the model (resolve/access/patches).

Sources: istio pilot/pkg/networking/core/envoyfilter.
"""
