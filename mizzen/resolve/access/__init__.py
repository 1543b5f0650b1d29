"""Who may do what: AuthorizationPolicies, RequestAuthentications, and guards that are not honoured.

What cannot be honoured closes here, and never opens. Whom a policy selects is asked of `resolve.selecting`; nothing
here knows a route or a listener but as values of the model.
"""
