"""The control plane: one writer, a state that is a value, and the loop that obeys it.

Here live the building of configurations (`builds`, `worker`: one thread, the only owner of what is remembered), the
state (`state`, `proof_schedule`, `served_gateway`: pure, driven by events and a clock that is handed in), what is
told of it (`report`, `metrics`; its types are `mizzen.status`), who is let in (`admission`, `registration`,
`network`), the search for who is to blame (`inquiry`), and where announcements are kept (`announcement_file`). What
talks to Kubernetes (`mizzen.cluster`), starts processes (`mizzen.node`; a trial is `mizzen.proxy`'s) or is a command
line has no place here.
"""
