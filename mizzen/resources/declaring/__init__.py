"""The words in which kinds are declared, and the decoders that are made of a declaration.

No kind is named here: whatever holds for one alone is in its declaration (`istio/`, `kubernetes/`) or its rules
(`rules/`).
"""
