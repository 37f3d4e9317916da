"""Benchmarks: ours beside the reference, in one run."""
