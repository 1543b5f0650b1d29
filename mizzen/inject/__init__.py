"""What a Pod gets so that its traffic goes through a proxy, and which Pods get it. Plain manifests, no I/O."""
