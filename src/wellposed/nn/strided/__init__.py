"""Strided convolutions, a route for each kind of machine."""
