"""The kinds of our own group, mizzen.dev: what Istio has no field for."""
