"""VirtualServices -> route tables: rules and their delegates, matches, actions, headers, retries.

Where a server listens has been decided in `listeners/`, where a destination leads in `services/`.
"""
