"""Compression: exact integer models, their coder, and the container of compressed rows."""
