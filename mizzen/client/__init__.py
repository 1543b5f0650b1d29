"""What commands ask of an instance or a cluster that runs already, with the rights of whoever asks.

Here live the ways to a control plane and to Envoys (`remote`), and what is made of their answers: a bug report, the
admin pages without secrets, the analysis of a cluster. Nothing is changed by asking, and nothing here keeps running.
"""
