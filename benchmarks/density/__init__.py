"""Held-out log p(x) of tables: a VAE with its default settings beside every rival."""
