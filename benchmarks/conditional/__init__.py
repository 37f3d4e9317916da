"""Conditional models: one data set in two batches, with the batch given and without."""
