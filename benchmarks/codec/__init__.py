"""The benchmark of compression."""
