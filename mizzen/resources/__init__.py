"""Manifests in, typed resources out.

`parse_documents` splits a text into plain objects with their places, `decode` turns one of them into a frozen
resource or problems, `decode_all` all of them into a `World`. An object with an error takes no part, as if an API
server had refused it. Nothing here knows what a gateway does with a resource.

The rooms, lowest first: `yaml/` and `formats/` (texts), `declaring/` (the words of a declaration), `kubernetes/` and
`istio/` (the kinds), `rules/` (what is refused and warned of).
"""
