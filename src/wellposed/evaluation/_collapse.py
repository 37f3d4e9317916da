"""Posterior collapse, measured."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Collapse:
    """Which latents have collapsed, and by how little they miss or make it.

    ``collapsed`` is of shape (k,); ``rate`` the mean KL of each latent in nats.
    """

    collapsed: np.ndarray
    rate: np.ndarray
    epsilon: float
    delta: float


def collapse(rates: np.ndarray, *, epsilon: float = 0.01, delta: float = 0.01) -> Collapse:
    """Find the latents for which KL(q(z_i | x) ‖ p(z_i)) < ε on a share ≥ 1 − δ of the data.

    Parameters
    ----------
    rates : array of shape (n, k), nats (see :func:`wellposed.evaluation.rates`)
    epsilon, delta : thresholds

    References: Lucas, Tucker, Grosse & Norouzi (2019), the definition of (ε, δ)-collapse.

    Examples
    --------
    >>> collapse(np.array([[0.0, 2.0], [0.001, 1.5]])).collapsed.tolist()
    [True, False]
    """
    silent = (rates < epsilon).mean(axis=0)
    return Collapse(silent >= 1 - delta, rates.mean(axis=0), epsilon, delta)
