"""Whose fault it is when Envoy refuses a configuration, or dies of it, and what is done about that object.

Here live: who wrote each part of an Envoy resource (`authors`), who may be to blame for a refusal or a death
(`suspects`), the search for who is (`search`), and the ledger of the objects that are set aside (`ledger`). All of it
is pure: the time, what Envoy said and what a trial gave are handed in. Trying a configuration is for
`mizzen.proxy.trial`, doing something about it for who runs the control plane.
"""
