"""Warnings that a recipe expects: what they say is in its record."""

import contextlib
import warnings
from collections.abc import Iterator

from wellposed._errors import ConstantFeatureWarning, FloorWarning, TrainingWarning


@contextlib.contextmanager
def expected_warnings() -> Iterator[None]:
    """Leave out what a fit says of floors, constants and unfinished training."""
    with warnings.catch_warnings():
        for category in (ConstantFeatureWarning, FloorWarning, TrainingWarning):
            warnings.simplefilter("ignore", category)
        yield
