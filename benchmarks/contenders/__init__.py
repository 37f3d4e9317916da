"""The contenders, one a file: ``train(case, turn)`` trains until ``turn()`` stops it."""
