"""HTTPS records (RFC 9460): which are justified, how they are written, and what must change in DNS. All pure.

What a server is comes from the model; whether its mirror is announced is handed in. Asking and updating a name server is
for `mizzen.plane`.
"""
