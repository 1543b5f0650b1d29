"""Figures, printed and never asserted: `python -m bench`."""
