"""Start of a training: the linear solution, and the prior."""
