"""Every measure of a fitted VAE beside its reference, in one run."""
