"""YAML -> plain values, with the place of every key. Nothing here knows what an object is."""
