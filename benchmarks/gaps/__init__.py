"""Imputers on tables with hidden entries."""
