"""Which gateways and Pods there are to serve, and the settings and the mesh they live in.

What they serve is for the other rooms: nothing here reads a Gateway or a VirtualService.
"""
