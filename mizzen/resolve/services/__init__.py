"""Where requests may go: services, their endpoints and localities, DestinationRules, and the TLS spoken to them.

Fail closed: where TLS is asked for and cannot be had, no connection is made. Nothing here knows a route or a
listener.
"""
