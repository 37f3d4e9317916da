"""Who runs, one a file: ``train(case, turn)`` trains for ever, ``turn()`` ends an epoch."""
