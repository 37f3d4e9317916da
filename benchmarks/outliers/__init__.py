"""Detection of outliers on the 28 tables of ``data/outliers``."""
