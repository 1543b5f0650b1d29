"""What is refused and warned of in one object, beyond what its declaration says: as Istio's webhook and API server do.

`validate` calls the rules of a kind. What only two objects together show is for `mizzen.resolve`.
"""
