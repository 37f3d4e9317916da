"""Whole processes on a small table, one a file: read rows, train, print what was done as JSON."""
