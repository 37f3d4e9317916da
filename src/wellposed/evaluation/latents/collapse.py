"""Posterior collapse, measured in the two ways that the field uses."""

import dataclasses
from typing import Any

import numpy as np

from wellposed._checks import check_number
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel

from .._passes import posteriors
from .._thresholds import ACTIVE, DELTA, EPSILON


@dataclasses.dataclass(frozen=True)
class Collapse:
    r"""Two verdicts on each latent, which need not agree; every array is of shape (k,).

    - ``collapsed``: KL(q(z_i|x) ‖ p(z_i)) < ε on a share of the data of at least 1 − δ;
      ``silent_share`` is that share, ``rates`` the mean KL of each latent in nats.
    - ``active_units``: the latent's posterior mean moves, Var E[z_i|x] > threshold;
      ``mean_variance`` is that variance over the data.

    A latent may be neither: its posterior mean stands still, and its posterior variance does not
    equal the prior's.
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
            f"posterior mean exceeds {self.threshold:g}. Rates add up to {self.rates.sum():.4g} "
            "nats a datum." + self._unknown()
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
    """Judge each latent by its rates and by its posterior means.

    Parameters
    ----------
    rates : array of shape (n, k), KL(q(z_i | x) ‖ p(z_i)) in nats
    means : array of shape (n, k), E[z | x]
    epsilon, delta : of (ε, δ)-collapse
    threshold : of active units

    Raises
    ------
    SettingError
        If a threshold is negative, or δ is one or more.

    References: (ε, δ)-collapse, Lucas, Tucker, Grosse & Norouzi (2019), definition 1; active
    units, Burda, Grosse & Salakhutdinov (2016), §5.1.

    Examples
    --------
    >>> found = collapse(np.array([[0.0, 2.0], [0.001, 1.5]]), np.array([[0, 1.0], [0, -1.0]]))
    >>> found.collapsed.tolist(), found.active_units.tolist()
    ([True, False], [False, True])
    """
    for name, value in (("epsilon", epsilon), ("threshold", threshold)):
        check_number(name, value, "0.01 is usual.", low=0)
    check_number("delta", delta, "0.01 is usual.", low=0, below=1)
    silent = (rates < epsilon).mean(axis=0)
    moved = means.var(axis=0, dtype=np.float64)
    return Collapse(
        collapsed=silent >= 1 - delta,
        active_units=moved > threshold,
        rates=rates.mean(axis=0, dtype=np.float64),
        silent_share=silent,
        mean_variance=moved,
        epsilon=epsilon,
        delta=delta,
        threshold=threshold,
    )


def measure_collapse(model: VAEModel, rows: Any, *, key: PRNGKey, **thresholds: float) -> Collapse:
    """Measure :func:`collapse` of a model on rows of shape (n, d), data units."""
    means, _, rates = posteriors(model, rows, key=key)
    return collapse(rates, means, **thresholds)
