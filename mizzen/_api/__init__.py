"""Envoy's protobuf messages, generated from the descriptors in the pinned Envoy's binary; import `pb`.

All beside this file is written by scripts/generate_api.py. `descriptors.binpb` is the FileDescriptorSet it
was made of, so that a test can tell when the installed Envoy speaks otherwise.
"""
