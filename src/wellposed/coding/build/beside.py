"""Missing entries and covariates of a trained model, for the integer model."""

import dataclasses
from typing import Any

import numpy as np

from wellposed.noise import Ignorable

from ..beside import Gaps, Given, Levels
from ..fillings import Filling
from ..inputs import Inputs
from ..protocol import MISSING
from .group import Group, array

_MOST = 1024.0  # of a covariate in the model's units


@dataclasses.dataclass(frozen=True)
class CovariateColumns:
    """How the numbers that a model is given are made of columns of symbols.

    Parameters
    ----------
    n : number of columns, which follow the features of a row
    column : of each number, its column, int64, shape (c,)
    level : the symbol that it indicates, shape (c,); MISSING where it is times·symbol + plus
    times, plus : shape (c,)
    """

    n: int
    column: np.ndarray
    level: np.ndarray
    times: np.ndarray
    plus: np.ndarray

    @classmethod
    def whole(cls, c: int) -> "CovariateColumns":
        """Return c columns whose symbols are what the model is given."""
        return cls(c, np.arange(c), np.full(c, MISSING), np.ones(c), np.zeros(c))

    def given(self, bits: int) -> Given:
        """Round them to whole numbers of 2^-bits."""
        zeros, indicates = np.zeros(len(self.column), np.int64), self.level != MISSING
        ends = (np.where(indicates, 0.0, -_MOST), np.where(indicates, 1.0, _MOST))
        inputs = Inputs.rounded(self.times, self.plus, *ends, zeros, bits=bits)
        column, level = (np.asarray(each, np.int64) for each in (self.column, self.level))
        return Given(self.n, column, level, inputs)


def integer_levels(columns: np.ndarray, d: int, bits: int) -> Levels | None:
    """Return the indicators that the encoder has after the inputs of d columns, or None.

    Parameters
    ----------
    columns : of each input of the encoder, its column, see ``AbstractNoise.input_columns``: those
        of the levels of a column follow each other
    d : number of columns
    bits : fractional bits of the inputs
    """
    shown = np.asarray(columns[d:], np.int64)
    if not shown.size:
        return None
    place = np.arange(len(shown))
    first = np.diff(shown, prepend=-1) != 0
    level = place - np.maximum.accumulate(np.where(first, place, 0))
    return Levels(shown, level, 1 << bits)


def integer_gaps(noise: Any, groups: list[Group], inputs: Inputs, bits: int) -> Gaps | None:
    """Return what the encoder sees of missing entries; None for noise of whole rows.

    Parameters
    ----------
    noise : of the model
    groups : of its columns, all of them once
    inputs : of the encoder
    bits : fractional bits of the inputs
    """
    if not isinstance(noise, Ignorable):
        return None
    typical = np.zeros(len(inputs.low), np.int64)
    for group in groups:
        value = group.in_units(array(noise.typical))
        typical[group.columns] = np.rint((value - group.base) / group.step).astype(np.int64)
    filling, own = None, noise.filling
    if own is not None:
        parts = (array(own.mean), array(own.weight), array(own.variance))
        filling = Filling.rounded(*parts, bits=bits)
    mark = -(1 << bits) if noise.show_mask else 0
    return Gaps(typical, inputs.low, inputs.high, filling, mark)
