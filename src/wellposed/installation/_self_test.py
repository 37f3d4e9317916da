"""Figures that every installation must give, computed in a few seconds.

Probabilistic PCA of the digits that scikit-learn carries has log p(x) = −159.99 nats an image. The
VAE with the same decoder and with the exact posterior as q(z | x) has an importance weight of p(x)
for every draw; with q of 1.5 times the standard deviations its ELBO is below log p(x) by k(½(1.5² −
1) − log 1.5) nats, on every row.
"""

import math
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import ConstantFeatureWarning

LOG_P = -159.99373  # nats an image, by float64 of NumPy
N_LATENTS = 10
N_ROWS = 200  # of which a VAE is asked
_SPREAD = 1.5
_N_DRAWS = 4  # where each has the weight p(x)
_N_MANY = 64

_REINSTALL = (
    "Run `pip install --force-reinstall --no-cache-dir {}` and try again; if the figure stays, "
    "report it with this page."
)
_LINEAR = _REINSTALL.format("numpy scipy scikit-learn")
_JAX = (
    "Try JAX_PLATFORMS=cpu and WELLPOSED_COMPILED=off, to see whether the accelerator or a kept "
    "program is the cause. " + _REINSTALL.format("jax jaxlib numpyro equinox")
)
_FILES = _REINSTALL.format("wellposed")


@dataclass(frozen=True)
class Check:
    """One figure of the self-test.

    Attributes
    ----------
    name : what is computed
    expected : its value where all is well
    found : its value here; None where it could not be computed
    tolerance : largest difference that is allowed, from rounding or from the number of draws
    seconds : that it took
    remedy : what to do if the figures differ
    error : why it could not be computed, None otherwise

    Examples
    --------
    >>> Check("1 + 1", 2.0, 2.0, 0.0, 0.1, "Reinstall.", None).passed
    True
    """

    name: str
    expected: float
    found: float | None
    tolerance: float
    seconds: float
    remedy: str
    error: str | None

    @property
    def passed(self) -> bool:
        """Whether the figure was computed and is as expected."""
        return self.found is not None and abs(self.found - self.expected) <= self.tolerance


@dataclass(frozen=True)
class _Plan:
    name: str
    compute: Callable[["_Digits"], tuple[float, float, float]]  # expected, found, tolerance
    remedy: str


class _Digits:
    """The digits and their exact linear solution: largest eigenvectors of the covariance."""

    def __init__(self) -> None:
        from wellposed import datasets

        self.rows = datasets.load_digits().values
        X = np.asarray(self.rows, np.float64)
        n, d = X.shape
        self.mean = X.mean(axis=0)
        values, vectors = np.linalg.eigh((X - self.mean).T @ (X - self.mean) / n)
        values, vectors = values[::-1], vectors[:, ::-1]
        self.variance = float(values[N_LATENTS:].mean())
        self.loadings = vectors[:, :N_LATENTS] * np.sqrt(values[:N_LATENTS] - self.variance)
        self._covariance = self.loadings @ self.loadings.T + self.variance * np.eye(d)

    def log_p(self, n: int | None = None) -> float:
        """Mean of log p(x) of the first ``n`` rows, in nats, by its formula."""
        centred = np.asarray(self.rows[:n], np.float64) - self.mean
        d = centred.shape[1]
        _, log_det = np.linalg.slogdet(self._covariance)
        distance = (centred * np.linalg.solve(self._covariance, centred.T).T).sum(axis=1)
        return float(-0.5 * (d * math.log(2 * math.pi) + log_det + distance.mean()))

    def vae(self, spread: float) -> Any:
        """Return the VAE of this solution; ``spread`` multiplies the deviations of q(z | x)."""
        import jax.numpy as jnp

        from wellposed import latents, models, nn, noise, transforms
        from wellposed.numerics import inverse_positive

        precision = (self.loadings**2).sum(axis=0) + self.variance  # of z, times σ²
        weight = self.loadings / precision
        scale = jnp.asarray(spread * np.sqrt(self.variance / precision), jnp.float32)
        encoder = nn.Linear(
            jnp.asarray(np.concatenate([weight, 0 * weight], axis=1), jnp.float32),
            jnp.concatenate([jnp.asarray(-self.mean @ weight), inverse_positive(scale)]).astype(
                jnp.float32
            ),
        )
        decoder = nn.Linear(
            jnp.asarray(self.loadings.T, jnp.float32), jnp.asarray(self.mean, jnp.float32)
        )
        prior, posterior = latents.StandardNormal(N_LATENTS), latents.DiagonalNormal()
        observation = noise.Gaussian(self.variance)
        return models.VAEModel(
            transforms.Identity(), prior, encoder, posterior, decoder, observation
        )


def run() -> tuple[Check, ...]:
    """Compute every figure; one that cannot be computed does not stop the others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantFeatureWarning)  # corners of digits are empty
        return tuple(_checks())


def _checks() -> Iterator[Check]:
    digits = None
    for plan in _PLANS:
        start, error, figures = time.perf_counter(), None, (math.nan, None, 0.0)
        try:
            digits = digits or _Digits()
            figures = plan.compute(digits)
        except Exception as failure:  # of whatever kind: the page names it
            error = f"{type(failure).__name__}: {failure}"
        expected, found, tolerance = figures
        seconds = time.perf_counter() - start
        yield Check(plan.name, expected, found, tolerance, seconds, plan.remedy, error)


def _by_formula(digits: _Digits) -> tuple[float, float, float]:
    return LOG_P, digits.log_p(), 1e-4


def _by_ppca(digits: _Digits) -> tuple[float, float, float]:
    from wellposed.estimators import PPCA

    return LOG_P, float(PPCA(N_LATENTS).fit(digits.rows).score(digits.rows)), 1e-3


def _by_importance(digits: _Digits) -> tuple[float, float, float]:
    import jax

    from wellposed import evaluation

    rows = digits.rows[:N_ROWS]
    found = evaluation.log_likelihood(
        digits.vae(1.0), rows, n_samples=_N_DRAWS, key=jax.random.key(0), proposal="encoder"
    )
    return digits.log_p(N_ROWS), float(np.mean(found.value, dtype=np.float64)), 0.01


def _by_elbo(digits: _Digits) -> tuple[float, float, float]:
    import jax

    from wellposed import evaluation

    rows = digits.rows[:N_ROWS]
    terms = evaluation.elbo(digits.vae(_SPREAD), rows, n_samples=_N_MANY, key=jax.random.key(1))
    gap = N_LATENTS * (0.5 * (_SPREAD**2 - 1) - math.log(_SPREAD))
    # With z = m + δ, log p(x | z) is a constant + mδ − w²δ²/2σ² of each latent, where w is the norm
    # of its loadings; on average over rows m² is w²/(w² + σ²).
    shares = (digits.loadings**2).sum(axis=0)
    shares = shares / (shares + digits.variance)
    variances = _SPREAD**2 * shares * (1 - shares) + 0.5 * (_SPREAD**2 * shares) ** 2
    error = math.sqrt(float(variances.sum()) / (N_ROWS * _N_MANY))
    found = float(np.mean(terms.elbo, dtype=np.float64))
    return digits.log_p(N_ROWS) - gap, found, 5 * error


def _by_compression(digits: _Digits) -> tuple[float, float, float]:
    from wellposed.estimators import compress, decompress

    again = np.asarray(decompress(compress(None, digits.rows[:N_ROWS])))
    same = again.dtype == digits.rows.dtype and again.shape == digits.rows[:N_ROWS].shape
    differing = np.count_nonzero(again != digits.rows[:N_ROWS]) if same else digits.rows.size
    return 0.0, float(differing), 0.0


def _by_file(digits: _Digits) -> tuple[float, float, float]:
    from wellposed.estimators import PPCA, load

    rows = digits.rows[:N_ROWS]
    model = PPCA(2).fit(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.wp"
        model.save(path)
        again = load(path)
    if not isinstance(again, PPCA):
        raise TypeError(f"A saved PPCA must load as one; got {type(again).__name__}.")
    differing = np.count_nonzero(again.score_samples(rows) != model.score_samples(rows))
    return 0.0, float(differing), 0.0


_PLANS = (
    _Plan("log p(x) of the digits under pPCA, by its formula", _by_formula, _LINEAR),
    _Plan("the same, by wellposed.PPCA", _by_ppca, _LINEAR),
    _Plan(f"log p(x) of {N_ROWS} of them, by draws of a VAE", _by_importance, _JAX),
    _Plan("ELBO of a VAE whose q(z | x) is too wide", _by_elbo, _JAX),
    _Plan("entries that differ after compression", _by_compression, _FILES),
    _Plan("scores that differ after saving and loading", _by_file, _FILES),
)
