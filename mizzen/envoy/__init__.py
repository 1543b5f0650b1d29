"""Model -> Envoy's messages: one module per message, `filters/` one per HTTP filter.

A function is named after the message that it returns. What is decided here is only how Envoy is told; what a gateway
shall do has been decided in the model. `config.envoy_config` puts everything together. Nothing here reads a manifest,
a clock or a file.
"""
