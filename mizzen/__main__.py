"""`python -m mizzen` is `mizzen`."""

from mizzen.cli import main

main()
