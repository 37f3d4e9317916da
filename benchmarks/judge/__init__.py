"""Is a fitted VAE any good? Every measure of it beside its reference, in one run."""
