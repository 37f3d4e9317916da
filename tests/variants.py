"""Cases of one test that compile programs of their own: a few run always, the others when slow."""

import pytest


def slow_beside(cases, typical):
    """Mark all cases as slow but the typical ones."""
    return [c if c in typical else pytest.param(c, marks=pytest.mark.slow) for c in cases]
