"""Data that do not fit in memory."""
