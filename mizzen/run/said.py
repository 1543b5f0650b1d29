"""How lines of the control plane's output begin that are meant for the user of `mizzen up`."""

SAID = "| "
NOW = "! "  # begins the text of one that cannot wait until everything serves
