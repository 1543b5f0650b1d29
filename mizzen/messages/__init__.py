"""Envoy's messages as others write them: JSON or YAML -> message, and one message merged into another. Pure.

Nothing here knows what a message is for, or who wrote it.
"""
