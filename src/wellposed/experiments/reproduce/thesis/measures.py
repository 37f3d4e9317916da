"""The figures that are measured of each model."""

import dataclasses
import math

import jax
import numpy as np

from wellposed import evaluation
from wellposed.estimators import VAE

from ..cells import Cell

_KEY = jax.random.key(0)
_DRAWS = 8  # draws of z a row, for the ELBO
_SPLIT_ROWS = 1_000


@dataclasses.dataclass(frozen=True)
class Measures:
    """Figures of one model on test images; nats refer to probabilities of the 256 levels."""

    elbo: float
    elbo_error: float
    log_likelihood: float
    rate: float
    rmse: float  # of the mean at the posterior mean, in units of the whole scale
    explained: float  # the latents' share of the variance, z ~ q(z)
    collapsed: int
    n_latents: int
    within: float  # mean variance of q(z|x) over latents
    between: float  # variance of the mean of q(z|x), mean over latents

    @property
    def bits(self) -> float:
        """−ELBO in bits a pixel."""
        return -self.elbo / (784 * math.log(2.0))

    def cells(self, row: str) -> tuple[Cell, ...]:
        """Return the model's row of the table."""
        return (
            Cell(row, "ELBO, nats", self.elbo, self.elbo_error),
            Cell(row, "bits a pixel", self.bits),
            Cell(row, "rate, nats", self.rate),
            Cell(row, "distortion, nats", -self.log_likelihood),
            Cell(row, "RMSE", self.rmse),
            Cell(row, "latents' share of the variance", self.explained),
            Cell(row, "latents collapsed", self.collapsed / self.n_latents),
            Cell(row, "mean Var q(z|x)", self.within),
            Cell(row, "Var E[z|x]", self.between),
        )


def measure(vae: VAE, rows: np.ndarray) -> Measures:
    """Measure a model on test images of shape (n, 784), grey levels."""
    model = vae.model_
    terms = evaluation.elbo(model, rows, n_samples=_DRAWS, key=_KEY)
    elbo = np.asarray(terms.elbo, np.float64)
    split = evaluation.variance_split(
        model, evaluation.subsample(rows, _SPLIT_ROWS), n_draws=2, key=_KEY
    )
    codes = evaluation.codes(model, rows, key=_KEY, most=len(rows))
    residuals = (rows - evaluation.reconstructions(model, rows, key=_KEY)) / 255.0
    return Measures(
        elbo=float(elbo.mean()),
        elbo_error=float(elbo.std(ddof=1) / len(elbo) ** 0.5),
        log_likelihood=float(np.mean(terms.log_likelihood, dtype=np.float64)),
        rate=float(np.mean(terms.kl, dtype=np.float64)),
        rmse=float(np.sqrt(np.mean(residuals**2, dtype=np.float64))),
        explained=split.posterior.share_explained.value,
        collapsed=int(vae.collapse(rows).collapsed.sum()),
        n_latents=model.prior.k,
        within=float((codes.scale**2).mean()),
        between=float(codes.loc.var(axis=0).mean()),
    )
