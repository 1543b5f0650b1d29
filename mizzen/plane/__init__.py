"""The control plane: one writer, a state that is a value, and the loop that obeys it.

Here live the building of configurations (`builds`, `worker`: one thread, the only owner of what is remembered), the
state (`state`, `trials`, `served`: pure, driven by events and a clock that is handed in), what is told of it (`status`,
`report`) and where promises are kept (`promises`). What talks to Kubernetes, starts processes or is a command line has
no place here.
"""
