"""All scores of latents against known factors, with their errors."""

import dataclasses
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_count
from wellposed._errors import DataError

from .._estimate import Estimate
from .._text_table import text_table
from .factor_table import FactorTable, host_generator_of
from .factor_vae import FactorVotes, votes_of
from .importances import DCI, dci_of
from .information_gap import InformationGap, gap_of
from .separation import Separation, sap_of


@dataclasses.dataclass(frozen=True, eq=False)
class Disentanglement:
    """Scores of latents against known factors, each with its standard error over rows.

    Parameters
    ----------
    mutual_information_gap : MIG, see :func:`mutual_information_gap`
    disentanglement, completeness, informativeness : see :func:`dci`
    sap : separated attribute predictability, see :func:`sap`
    factor_vae : score of FactorVAE, see :func:`factor_vae_score`
    gap, dci, separation, votes : the records behind the scores, with their matrices
    names : of the factors
    n_rows : rows that were measured

    Examples
    --------
    >>> from wellposed.evaluation import disentanglement
    >>> found = disentanglement(X, X[:, :2], names=("length", "width"), random_state=0)
    >>> found.names, found.n_rows
    (('length', 'width'), 150)
    """

    mutual_information_gap: Estimate
    disentanglement: Estimate
    completeness: Estimate
    informativeness: Estimate
    sap: Estimate
    factor_vae: Estimate
    gap: InformationGap
    dci: DCI
    separation: Separation
    votes: FactorVotes
    names: tuple[str, ...]
    n_rows: int

    def __str__(self) -> str:
        chance = f"{1 / len(self.names):.2g}"
        scores = (
            ("mutual information gap", self.mutual_information_gap, "0"),
            ("disentanglement (DCI)", self.disentanglement, "0"),
            ("completeness (DCI)", self.completeness, "0"),
            ("informativeness (DCI)", self.informativeness, "0"),
            ("SAP", self.sap, "0"),
            ("FactorVAE", self.factor_vae, chance),
        )
        best = self.gap.information.argmax(axis=0)
        shares = self.gap.information.max(axis=0) / self.gap.entropies
        factors: tuple[dict[str, str | Estimate], ...] = tuple(
            {
                "factor": name,
                "latent of most information": str(best[i]),
                "share of the entropy": f"{shares[i]:.3f}",
                "gap": f"{self.gap.gaps[i]:.3f}",
                "skill of all latents": f"{self.dci.skills[i]:.3f}",
            }
            for i, name in enumerate(self.names)
        )
        head: tuple[dict[str, str | Estimate], ...] = tuple(
            {"score": name, "value": _shown(value), "if independent": low}
            for name, value, low in scores
        )
        return f"{text_table(head)}\n\n{text_table(factors)}"


def disentanglement(
    latents: ArrayLike,
    factors: ArrayLike,
    *,
    random_state: int | np.random.Generator,
    names: Sequence[str] | None = None,
    discrete: bool | Sequence[bool] | None = None,
    n_groups: int = 5,
) -> Disentanglement:
    """Compute MIG, DCI, SAP and the score of FactorVAE.

    No score depends on the scales of the latents, nor on their order and signs, up to the choice of
    trees among equal splits.

    Standard errors are of the jackknife over groups of rows. Models of other seeds differ by more.

    Parameters
    ----------
    latents : array of shape (n, k), k ≥ 2. Draws z ~ q(z | x), as ``codes(...).z``, measure what
        the latents transmit; means, as ``vae.transform(X)``, are what most publications measure
    factors : array of shape (n, m), m ≥ 2, of numbers or text
    random_state : of halves, forests and groups
    names : of the factors; None numbers them
    discrete : flags of discrete factors; None: text, and numbers of at most 20 distinct values
    n_groups : of the jackknife, 2 or more; 0 leaves the errors out, as NaN

    Raises
    ------
    DataError
        For fewer than 20 rows, 2 latents or 2 factors; gaps; tables of different lengths; factors
        that never vary; levels of fewer than 4 rows.
    SettingError
        For flags that do not fit the factors, and a count of groups out of range.

    Examples
    --------
    >>> factors = np.random.default_rng(0).uniform(size=(300, 2))
    >>> scores = disentanglement(factors, factors, random_state=0, n_groups=0)
    >>> scores.factor_vae.value, round(scores.dci.disentanglement, 1)
    (1.0, 1.0)
    """
    table = FactorTable.of(latents, factors, discrete=discrete, fewest_factors=2)
    listed = _names(names, table.n_factors)
    if n_groups != 0:
        remedy = "0 leaves the errors out."
        n_groups = check_count("n_groups", n_groups, remedy, low=2, most=table.n_rows // 10)
    generator = host_generator_of(random_state)
    found = _Records.of(table, generator)
    values = found.values
    errors = _jackknife(table, generator, n_groups) if n_groups else np.full(len(values), np.nan)
    pairs = zip(values.items(), errors.tolist(), strict=True)
    return Disentanglement(
        **{name: Estimate(value, error) for (name, value), error in pairs},
        gap=found.gap,
        dci=found.dci,
        separation=found.separation,
        votes=found.votes,
        names=listed,
        n_rows=table.n_rows,
    )


def _names(names: Sequence[str] | None, n_factors: int) -> tuple[str, ...]:
    if names is None:
        return tuple(map(str, range(n_factors)))
    if len(names) != n_factors:
        raise DataError(
            f"names must have one for each of the {n_factors} factors; got {len(names)}. Leave "
            "them out to number the factors."
        )
    return tuple(map(str, names))


@dataclasses.dataclass(frozen=True, eq=False)
class _Records:
    """What each score is computed from, on one table."""

    gap: InformationGap
    dci: DCI
    separation: Separation
    votes: FactorVotes

    @classmethod
    def of(cls, table: FactorTable, generator: np.random.Generator) -> Self:
        return cls(
            gap_of(table, generator),
            dci_of(table, generator),
            sap_of(table, generator),
            votes_of(table, generator),
        )

    @property
    def values(self) -> dict[str, float]:
        """The scores, by the fields of :class:`Disentanglement`."""
        return {
            "mutual_information_gap": self.gap.score,
            "disentanglement": self.dci.disentanglement,
            "completeness": self.dci.completeness,
            "informativeness": self.dci.informativeness,
            "sap": self.separation.score,
            "factor_vae": self.votes.score,
        }


def _jackknife(table: FactorTable, generator: np.random.Generator, n_groups: int) -> np.ndarray:
    """Standard errors of the scores: √((g − 1)/g Σ (s₋ − mean)²) over groups left out."""
    groups = generator.permutation(table.n_rows) % n_groups
    kept = [table.rows(groups != g) for g in range(n_groups)]
    left = np.array([list(_Records.of(part, generator).values.values()) for part in kept])
    return np.sqrt((n_groups - 1) * left.var(axis=0))


def _shown(value: Estimate) -> str:
    return f"{value.value:.3f}" if np.isnan(value.standard_error) else str(value)
