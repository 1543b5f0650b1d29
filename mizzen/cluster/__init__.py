"""The control plane on Kubernetes: one of several replicas that are equals for proxies, of which one leads.

Here live the replica itself (`replica`), what it answers over HTTP (`http`), how it knows who asks (`token_review`),
the root and the announcements that replicas share (`shared_root`, `announcement_config_map`), and what the leader
does for all (`leader_tasks`, `status_writer`, `conditions`). How configurations are made and served is the same as on
one machine and lives in `mizzen.plane`; the API server's protocol lives in `mizzen.kube`.
"""
