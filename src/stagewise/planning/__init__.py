"""Plan and targets, source digests, costs and progress, processes."""
