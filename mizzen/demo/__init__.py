"""The walk-through from nothing: the files that `mizzen demo` writes, and throw-away certificates for them.

The only certificates that are good for nothing else are made here. Nothing but the command, tests and benchmarks
takes anything of it.
"""
