"""How often Python looks for garbage in a control plane.

What is read and made stays, for the most part: with Python's own thresholds (700, 10, 10) a cold start with 10,000
hosts spends a quarter of its time on looking through objects that are all in use. Cycles are rare here, and
reference counts free the rest at once.
"""

import ctypes
import gc

# New objects until the youngest are looked through; then how many of these looks for one at each older generation.
THRESHOLDS = (100_000, 50, 100)


def look_seldom() -> None:
    """For the whole process, from now on."""
    gc.set_threshold(*THRESHOLDS)


def settle() -> None:
    """What has been read and made by now stays: it is never looked through again, and what was needed to make it goes back
    to the system."""
    gc.collect()
    gc.freeze()
    # Only the C library of GNU has it; others give back by themselves.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
