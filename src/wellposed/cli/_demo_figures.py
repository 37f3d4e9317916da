"""What the demo measures, tabulates and draws."""

import dataclasses
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from wellposed import evaluation, plotting
from wellposed.estimators import PPCA
from wellposed.objectives import ElboTerms

from ._scores import monte_carlo_error, standard_error

_IMPORTANCE_SAMPLES = 4096
_ELBO_SAMPLES = 16
_SHOWN = 40  # samples in the picture
_RECONSTRUCTED = 30


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A model on held-out rows, beside pPCA with as many latents; nats and data units."""

    found: evaluation.LogLikelihood
    terms: ElboTerms
    rates: np.ndarray  # (k,)
    collapse: evaluation.Collapse
    ppca: np.ndarray  # (n,)
    ppca_variance: float


def judge(vae: Any, training: np.ndarray, rows: np.ndarray, *, seed: int) -> Verdict:
    """Measure a fitted estimator on ``rows``, and pPCA fitted to ``training``."""
    score_key, elbo_key, rate_key = jax.random.split(jax.random.key(seed), 3)
    model = vae.model_
    collapse = evaluation.measure_collapse(model, rows, key=rate_key)
    ppca = PPCA(vae.n_components).fit(training)
    return Verdict(
        found=evaluation.log_likelihood(model, rows, n_samples=_IMPORTANCE_SAMPLES, key=score_key),
        terms=evaluation.elbo(model, rows, n_samples=_ELBO_SAMPLES, key=elbo_key),
        rates=collapse.rates,
        collapse=collapse,
        ppca=ppca.score_samples(rows),
        ppca_variance=ppca.noise_variance_,
    )


def show(verdict: Verdict, vae: Any) -> None:
    """Print the table and how to read it."""
    table = Table(title="Held-out digits, means an image", title_justify="left")
    table.add_column("")
    table.add_column("VAE", justify="right")
    table.add_column("pPCA", justify="right")
    for row in _rows(verdict, vae):
        table.add_row(*row)
    console = Console()
    console.print(table)
    console.print(_legend(verdict, vae), soft_wrap=True, highlight=False, markup=False)


def _rows(verdict: Verdict, vae: Any) -> list[tuple[str, str, str]]:
    found, terms = verdict.found, verdict.terms
    n = len(verdict.ppca)
    ppca_error = verdict.ppca.std(ddof=1) / np.sqrt(n)
    collapse = verdict.collapse
    k = len(verdict.rates)
    return [
        ("latents", str(k), str(k)),
        (
            "log p(x), nats",
            f"{_mean(found.value):.2f} ± {standard_error(found):.2f}",
            f"{_mean(verdict.ppca):.2f} ± {ppca_error:.2f}",
        ),
        ("ELBO = −(distortion + rate), nats", f"{_mean(terms.elbo):.2f}", "= log p(x)"),
        ("distortion, nats", f"{-_mean(terms.log_likelihood):.2f}", ""),
        ("rate, nats", f"{_mean(terms.kl):.2f}", ""),
        (
            "noise variance σ², grey levels²",
            f"{_data_variance(vae):.3f}",
            f"{verdict.ppca_variance:.3f}",
        ),
        (
            f"collapsed latents (ε={collapse.epsilon:g}, δ={collapse.delta:g})",
            f"{int(collapse.collapsed.sum())} of {k}",
            "",
        ),
    ]


def _legend(verdict: Verdict, vae: Any) -> str:
    found, n = verdict.found, len(verdict.ppca)
    gain = found.value - verdict.ppca
    gain_error = gain.std(ddof=1) / np.sqrt(n)
    return "\n".join(
        [
            "log p(x) is the density of the pixels as they are, 0 to 16. ± is one standard error "
            f"over {n} images:",
            "the spread over images and the Monte Carlo error together (of Monte Carlo alone: "
            f"{monte_carlo_error(found):.2f}).",
            f"{_IMPORTANCE_SAMPLES} draws an image, effective sample size "
            f"{np.median(found.effective_sample_size):.0f} in the median: "
            "the estimate errs on the low side.",
            f"The VAE is ahead of pPCA by {_mean(gain):.2f} ± {gain_error:.2f} nats an image "
            f"(paired). Training: {vae.outcome_.value} after {vae.n_epochs_} epochs.",
        ]
    )


def _mean(values: Any) -> float:
    return float(np.mean(values, dtype=np.float64))


def _data_variance(vae: Any) -> float:
    """σ² in data units: pixels share one scale."""
    return vae.noise_variance_ * float(vae.model_.transform.scale[0]) ** 2


def picture(vae: Any, held_out: Any, rates: np.ndarray) -> Any:
    """Draw samples, reconstructions and the latent plane."""
    shown = held_out.values[:_RECONSTRUCTED]
    return plotting.demo_figure(
        ancestral=vae.sample(_SHOWN),
        mean=vae.sample(_SHOWN, "mean"),  # of the same seed, so of the same latents
        data=shown,
        reconstructed=vae.reconstruct(shown),
        latents=vae.transform(held_out),
        labels=held_out.labels,
        rates=rates,
        image_shape=held_out.image_shape,
    )
