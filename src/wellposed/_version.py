"""The version, read by the build and written into every file."""

__version__ = "0.2.0"
