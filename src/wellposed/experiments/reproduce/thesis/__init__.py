"""The experiments of the thesis's chapter 5, each beside a remedy, on one page."""

from .page import NAME, make

__all__ = ["NAME", "make"]
