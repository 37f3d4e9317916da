"""Posterior collapse, by (ε, δ)-collapse and by active units."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_number
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel

from .._passes import posteriors
from .._thresholds import ACTIVE, DELTA, EPSILON


@dataclasses.dataclass(frozen=True)
class Collapse:
    r"""Two criteria of collapse for each latent, which may disagree.

    A latent may be neither collapsed nor an active unit: its posterior mean is constant, and its
    posterior variance differs from the prior's.

    Parameters
    ----------
    collapsed : bool, shape (k,), whether the rate of the latent is below ε on a share of the rows
        of at least 1 − δ
    active_units : bool, shape (k,), whether Var E[z_i|x] exceeds ``threshold``
    rates : shape (k,), mean rate of each latent, nats a datum; see
        :func:`wellposed.evaluation.rates`
    silent_share : shape (k,), share of the rows with a rate below ε
    mean_variance : shape (k,), Var E[z_i|x], in units of the prior's variance
    epsilon : ε, nats
    delta : δ, share of the rows
    threshold : of active units, in units of the prior's variance

    Examples
    --------
    >>> from wellposed.evaluation import measure_collapse
    >>> measure_collapse(model, X, key=key).rates.shape
    (2,)
    """

    collapsed: np.ndarray
    active_units: np.ndarray
    rates: np.ndarray
    silent_share: np.ndarray
    mean_variance: np.ndarray
    epsilon: float
    delta: float
    threshold: float

    def __str__(self) -> str:
        k = len(self.rates)
        return (
            f"{int(self.collapsed.sum())} of {k} latents have collapsed: their rate is below "
            f"{self.epsilon:g} nats on {1 - self.delta:.0%} of the data or more. "
            f"{int(self.active_units.sum())} of {k} are active units: the variance of their "
            f"posterior mean exceeds {self.threshold:g}. Rates of single latents add up to "
            f"{self.rates.sum():.4g} nats a datum." + self._unknown()
        )

    def _unknown(self) -> str:
        n = int((~np.isfinite(self.rates)).sum())
        return f" {n} of them have no finite rate: whether they collapsed is unknown." if n else ""


def collapse(
    rates: np.ndarray,
    means: np.ndarray,
    *,
    epsilon: float = EPSILON,
    delta: float = DELTA,
    threshold: float = ACTIVE,
) -> Collapse:
    """Apply both criteria of collapse to each latent.

    Parameters
    ----------
    rates : array of shape (n, k), KL(q(z_i | x) ‖ p(z_i)) in nats
    means : array of shape (n, k), E[z | x], in units of the prior's standard deviation
    epsilon : ε of (ε, δ)-collapse, nats
    delta : δ of (ε, δ)-collapse, share of the rows
    threshold : of active units, in units of the prior's variance

    Returns
    -------
    Collapse

    Raises
    ------
    SettingError
        If a threshold is negative, or δ is one or more.

    References: (ε, δ)-collapse, Lucas, Tucker, Grosse & Norouzi (2019), definition 1; active
    units, Burda, Grosse & Salakhutdinov (2016), §5.1.

    Examples
    --------
    >>> result = collapse(np.array([[0.0, 2.0], [0.001, 1.5]]), np.array([[0, 1.0], [0, -1.0]]))
    >>> result.collapsed.tolist(), result.active_units.tolist()
    ([True, False], [False, True])
    """
    for name, value in (("epsilon", epsilon), ("threshold", threshold)):
        check_number(name, value, "0.01 is usual.", low=0)
    check_number("delta", delta, "0.01 is usual.", low=0, below=1)
    silent = (rates < epsilon).mean(axis=0)
    mean_variance = means.var(axis=0, dtype=np.float64)
    return Collapse(
        collapsed=silent >= 1 - delta,
        active_units=mean_variance > threshold,
        rates=rates.mean(axis=0, dtype=np.float64),
        silent_share=silent,
        mean_variance=mean_variance,
        epsilon=epsilon,
        delta=delta,
        threshold=threshold,
    )


def measure_collapse(
    model: VAEModel, rows: ArrayLike, *, key: PRNGKey, **thresholds: float
) -> Collapse:
    """Measure :func:`collapse` of a model on rows of data.

    A latent has collapsed where q(z_i | x) does not depend on x. Its rate is then zero:
    KL(q(z_i | x) ‖ N(m_i, s_i²)) with the moments of p(z_i), which a prior fitted to its codes has.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key
    thresholds : ``epsilon``, ``delta`` and ``threshold`` of :func:`collapse`

    Returns
    -------
    Collapse

    Examples
    --------
    >>> measure_collapse(model, X, key=key).collapsed.shape
    (2,)
    """
    means, _, rates = posteriors(model, rows, key=key)
    return collapse(rates, in_prior_units(model, means), **thresholds)


def in_prior_units(model: VAEModel, means: np.ndarray) -> np.ndarray:
    """Divide latents of shape (n, k) by the standard deviations of p(z_i).

    Parameters
    ----------
    model : VAEModel
    means : array of shape (n, k)
    """
    return means / np.asarray(model.prior.moments()[1])
