"""Errors of classifiers from few labels."""
