"""One machine: the processes that run there, and what they share: run-dir, sockets, ports, logs, certificates.

Here live the supervisor and the Envoys that it keeps running (`supervisor`, `envoy_process`, `restarting_process`,
`hang_detection`), the health that load balancers ask for (`health`), where an instance has its files and how it is
asked (`instance`, `run_dir`, `control_socket`), and what the kernel tells (`ports`, `unix_sockets`, `process_facts`).
Nothing here knows what a configuration says: that is the control plane's, which is a child like others
(`mizzen.plane` takes from here, never the other way round).
"""
