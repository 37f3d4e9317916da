"""Votes for the latent that varies least where a factor is fixed."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_count

from .factor_table import FactorTable, host_generator_of


@dataclasses.dataclass(frozen=True, eq=False)
class FactorVotes:
    """Votes of groups of rows in which one factor is fixed.

    Parameters
    ----------
    training : integer array of shape (k, m): groups of fixed factor i in which latent j varies
        least
    held_out : the same of other groups

    Examples
    --------
    >>> FactorVotes(np.eye(2, dtype=int) * 9, np.eye(2, dtype=int) * 9).score
    1.0
    """

    training: np.ndarray
    held_out: np.ndarray

    @property
    def score(self) -> float:
        """Accuracy on ``held_out`` of the most frequent factor of each latent in ``training``."""
        chosen = self.training.argmax(axis=1)
        right = self.held_out[np.arange(len(chosen)), chosen].sum()
        return float(right / self.held_out.sum())


def factor_vae_score(
    latents: ArrayLike,
    factors: ArrayLike,
    *,
    random_state: int | np.random.Generator,
    n_votes: int = 800,
    group: int = 64,
    discrete: bool | Sequence[bool] | None = None,
) -> FactorVotes:
    """Compute the score of FactorVAE.

    Each vote chooses a factor and one of its levels, and draws a group of rows of this level, with
    replacement. The latent of least variance in the group, divided by its variance over all rows,
    votes for the factor. The classifier maps each latent to the factor of most votes.

    The score is 1 where each factor fixes a latent of its own, and about 1/m where latents and
    factors are independent. It does not see whether further latents depend on the factor. Constant
    latents are left out; the paper leaves out collapsed ones too, which draws of q(z | x) make
    unnecessary.

    Parameters
    ----------
    latents : array of shape (n, k), k ≥ 2
    factors : array of shape (n, m), m ≥ 2, of numbers or text
    random_state : of the groups
    n_votes : votes to train the classifier, and as many to test it
    group : rows of a group
    discrete : flags of discrete factors; None decides, see :class:`FactorTable`. A continuous
        factor is fixed to a tenth of the rows, between two of its deciles

    Raises
    ------
    DataError
        For data that break the rules of :meth:`FactorTable.of`.
    SettingError
        For counts out of range.

    References: Kim & Mnih (2018), section 3.

    Examples
    --------
    >>> factors = np.random.default_rng(0).integers(4, size=(400, 2))
    >>> factor_vae_score(factors * [1.0, -5.0], factors, random_state=0).score
    1.0
    """
    table = FactorTable.of(latents, factors, discrete=discrete, fewest_factors=2)
    n_votes = check_count("n_votes", n_votes, most=1_000_000)
    group = check_count("group", group, "A variance needs two rows.", low=2, most=1_000_000)
    return votes_of(table, host_generator_of(random_state), n_votes, group)


def votes_of(
    table: FactorTable, generator: np.random.Generator, n_votes: int = 800, group: int = 64
) -> FactorVotes:
    """Return the :func:`factor_vae_score` of a table."""
    rows = [
        [np.flatnonzero(levels == level) for level in np.unique(levels)]
        for levels in table.levels.T
    ]
    constant = ~table.latents.any(axis=0)
    votes = np.zeros((2, table.n_latents, table.n_factors), int)
    for vote in range(2 * n_votes):
        i = generator.integers(table.n_factors)
        chosen = rows[i][generator.integers(len(rows[i]))]
        drawn = chosen[generator.integers(len(chosen), size=group)]
        variances = np.where(constant, np.inf, table.latents[drawn].var(axis=0))
        votes[vote % 2, variances.argmin(), i] += 1
    return FactorVotes(*votes)
