"""What only a look over all objects shows: references that lead nowhere.

Findings alone: nothing here changes what a gateway does, and no other room depends on it.
"""
