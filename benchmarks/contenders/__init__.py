"""Who runs, one a file: ``train(case, turn)`` trains for ever and calls ``turn()`` between epochs."""
