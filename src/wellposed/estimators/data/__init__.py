"""Conversion of arrays, frames, sparse matrices and paths to rows of numbers."""
