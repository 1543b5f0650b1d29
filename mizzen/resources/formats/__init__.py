"""Texts with a grammar of their own: hosts, patterns, headers, durations, log formats, commands in header values.

A function takes a text and says what is wrong with it. Nothing here knows in which field of which kind it stands.
"""
