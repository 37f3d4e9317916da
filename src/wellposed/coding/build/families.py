"""Trained noise as families of integer parameters, and the decoder's outputs that they need."""

from collections.abc import Callable

import numpy as np

from wellposed import noise as families
from wellposed._errors import SettingError

from ..symbols import ConstantSymbols, Part
from . import amounts, counts, levels, real, unit
from .group import Group, Made
from .precision import Outputs, Precision

_MAKERS: dict[type, Callable[[Group, Precision], Made]] = {
    families.Beta: unit.beta,
    families.BetaBinomial: levels.beta_binomial,
    families.Bernoulli: levels.bernoulli,
    families.Categorical: levels.categorical,
    families.CausalGaussian: real.causal_gaussian,
    families.CausalLogistic: levels.causal,
    families.ContinuousBernoulli: unit.continuous_bernoulli,
    families.DiscretizedGaussian: levels.cells,
    families.DiscretizedLogistic: levels.cells,
    families.Gamma: amounts.gamma,
    families.Gaussian: real.gaussian,
    families.Laplace: real.laplace,
    families.LogNormal: amounts.log_normal,
    families.LowRankGaussian: real.low_rank,
    families.NegativeBinomial: counts.counts,
    families.Poisson: counts.counts,
    families.StudentT: real.student_t,
    families.TruncatedNormal: unit.truncated_normal,
    families.ZeroInflated: amounts.zero_inflated,
}


def parts_of(groups: list[Group], d: int, precision: Precision) -> tuple[tuple[Part, ...], Outputs]:
    """Return the groups of features, and the decoder's outputs that they need.

    Parameters
    ----------
    groups : that together have each of the columns once
    d : number of columns
    precision : of networks

    Raises
    ------
    SettingError
        For noise that has no family of integers.
    """
    parts: list[Part] = []
    outputs: list[Outputs] = []
    used = 0
    for group in groups:
        made = _maker(group)(group, precision)
        fixed = made.constants
        own = np.arange(group.d) if fixed is None else np.flatnonzero(fixed.varies)
        if own.size:
            needed = _outputs(made, group.columns, own, d)
            last = used + len(needed.take)
            parts.append(Part(made.make(own), group.columns[own], made.low[own], used, last))
            outputs.append(needed)
            used = last
        if fixed is not None:
            at = np.flatnonzero(~fixed.varies)
            family = ConstantSymbols.of(fixed.value[at] - fixed.low[at], fixed.others, fixed.levels)
            parts.append(Part(family, group.columns[at], fixed.low[at], 0, 0))
    return tuple(parts), Outputs.join(outputs) if outputs else Outputs.none()


def _maker(group: Group) -> Callable[[Group, Precision], Made]:
    make = _MAKERS.get(type(group.noise))
    if make is None:
        known = ", ".join(sorted(each.__name__ for each in _MAKERS))
        raise SettingError(
            "An integer model needs noise with a probability or a density of each value; it has no "
            f"twin of {type(group.noise).__name__} noise. Train with one of {known}, or with "
            "Columns of them, or compress without a model."
        )
    return make


def _outputs(made: Made, columns: np.ndarray, own: np.ndarray, d: int) -> Outputs:
    """The rows of the blocks that belong to features of a group."""
    blocks = [
        Outputs(i * d + columns[own], made.times[i, own], made.plus[i, own], np.full(own.size, b))
        for i, b in enumerate(made.bits)
    ]
    return Outputs.join(blocks)
