"""The kinds of Kubernetes that a gateway depends on, as declarations. Fields that take no part are not declared."""
