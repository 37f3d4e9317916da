"""Strided convolutions, with one implementation for each kind of machine."""
