"""Estimators on data that are read in blocks: fits, passes and scores."""
