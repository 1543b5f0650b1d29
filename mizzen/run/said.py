"""How lines of the control plane's output begin that are meant for the user of `mizzen up`."""

SAID = "| "
