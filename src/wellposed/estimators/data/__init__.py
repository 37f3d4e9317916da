"""From what users have (arrays, frames, sparse matrices, paths) to rows of numbers."""
