"""Ingresses as servers and rules: what they offer and ask for, in the words that the other rooms know.

Nothing behind this knows an Ingress, but for whose lines a rule is. No text is written: each server, rule and destination
keeps the place of the words that it came from.
"""
