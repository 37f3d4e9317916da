"""``wellposed demo``: the embedded digits, from data to figures in under a minute."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from ._files import save_figure
from ._fit import train
from ._options import Force, Seed
from ._score import monte_carlo_error, standard_error
from ._terminal import say
from .pages.report import make_report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from wellposed.datasets import Source
    from wellposed.estimators import VAE
    from wellposed.evaluation import Collapse, Diagnosis, LogLikelihood
    from wellposed.objectives import ElboTerms

N_TRAIN = 1437  # four fifths of the 1797
_SPLIT_SEED = 0  # fixed: --seed changes the model, and not the rows that it is compared on
_IMPORTANCE_SAMPLES = 512
_ELBO_SAMPLES = 16
_N_SAMPLES = 40  # in the picture
_N_RECONSTRUCTIONS = 30


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to.")] = Path(
        "wellposed-demo"
    ),
    seed: Seed = 0,
    max_epochs: Annotated[int, typer.Option(help="Maximum number of epochs.", min=1)] = 100,
    force: Force = False,
) -> None:
    """Fit handwritten digits, compare with pPCA, and draw the result.

    Writes DIR/digits.png, DIR/digits.wp and DIR/report.html.
    """
    from wellposed import serialise
    from wellposed.estimators import VAE
    from wellposed.plotting.canvas import check_installed

    check_installed("wellposed demo")
    figure_path, model_path, page_path = (
        out / name for name in ("digits.png", "digits.wp", "report.html")
    )
    for path in (figure_path, model_path, page_path):
        serialise.check_writable(path, overwrite=force)
    training, held_out = _split()
    say(f"Fitting {N_TRAIN} handwritten digits of 8×8 pixels, {len(held_out.values)} held out ...")
    # Some pixels hardly vary: with one σ for all, a mixture of Gaussians is the better density.
    vae = VAE(noise="conditional", max_epochs=max_epochs, random_state=seed)
    if train(vae, training):
        raise KeyboardInterrupt
    page = make_report(vae, held_out.values, training.values, held_out.labels)
    _show_outcome(page.diagnosis)
    comparison = _compare(vae, training.values, held_out.values, seed=seed)
    _show(comparison, vae)
    vae.save(model_path, overwrite=force)
    save_figure(figure_path, _draw(vae, held_out, comparison.collapse.rates), dpi=100)
    page.save(page_path, overwrite=force)
    say(
        f"\nWrote {figure_path} and {model_path}. Try next:\n"
        f"  wellposed sample {model_path} -n 64 -o {model_path.with_name('draws.png')}\n"
        "  wellposed fit your-data.csv -o your-model.wp --components 5\n"
        "  wellposed score your-model.wp your-data.csv -o log-p.csv\n"
        f"\nFor the results, and how to read them, open {page_path} in a browser."
    )


def _split() -> tuple["Source", "Source"]:
    """Return training and held-out digits, the same on every call."""
    from wellposed import datasets

    digits = datasets.load_digits()
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(digits.values))

    def part(rows: np.ndarray) -> "Source":
        labels = np.asarray(digits.labels)[rows]
        return dataclasses.replace(digits, values=digits.values[rows], labels=labels)

    return part(order[:N_TRAIN]), part(order[N_TRAIN:])


@dataclasses.dataclass(frozen=True)
class _Comparison:
    """A model and pPCA with as many latents on held-out rows; nats and data units."""

    scores: "LogLikelihood"
    terms: "ElboTerms"
    collapse: "Collapse"
    ppca: np.ndarray  # (n,), log p(x)
    ppca_variance: float


def _compare(vae: "VAE", training: np.ndarray, rows: np.ndarray, *, seed: int) -> _Comparison:
    """Measure a fitted estimator on ``rows``, and pPCA fitted to ``training``."""
    import jax

    from wellposed import evaluation
    from wellposed.estimators import PPCA

    score_key, elbo_key, rate_key = jax.random.split(jax.random.key(seed), 3)
    model = vae.model_
    collapse = evaluation.measure_collapse(model, rows, key=rate_key)
    ppca = PPCA(vae.n_components_).fit(training)
    return _Comparison(
        scores=evaluation.log_likelihood(model, rows, n_samples=_IMPORTANCE_SAMPLES, key=score_key),
        terms=evaluation.elbo(model, rows, n_samples=_ELBO_SAMPLES, key=elbo_key),
        collapse=collapse,
        ppca=ppca.score_samples(rows),
        ppca_variance=ppca.noise_variance_,
    )


def _show_outcome(diagnosis: "Diagnosis") -> None:
    """Print the first finding of the diagnosis: the model beside simpler ones."""
    from rich.console import Console

    outcome = dataclasses.replace(diagnosis, findings=diagnosis.findings[:1])
    Console().print(outcome)


def _show(comparison: _Comparison, vae: "VAE") -> None:
    """Print the table and how to read it."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Held-out digits, means an image", title_justify="left")
    table.add_column("")
    table.add_column("VAE", justify="right")
    table.add_column("pPCA", justify="right")
    for row in _rows(comparison, vae):
        table.add_row(*row)
    console = Console()
    console.print(table)
    console.print(_legend(comparison, vae), soft_wrap=True, highlight=False, markup=False)


def _rows(comparison: _Comparison, vae: "VAE") -> list[tuple[str, str, str]]:
    scores, terms, collapse = comparison.scores, comparison.terms, comparison.collapse
    n, k = len(comparison.ppca), len(collapse.rates)
    ppca_error = comparison.ppca.std(ddof=1) / np.sqrt(n)
    # Pixels share one scale.
    transform: Any = vae.model_.transform
    data_variance = float(np.mean(vae.noise_variance_)) * float(transform.scale[0]) ** 2
    return [
        ("latents", str(k), str(k)),
        (
            "log p(x), nats",
            f"{_mean(scores.value):.2f} ± {standard_error(scores):.2f}",
            f"{_mean(comparison.ppca):.2f} ± {ppca_error:.2f}",
        ),
        ("ELBO = −(distortion + rate), nats", f"{_mean(terms.elbo):.2f}", "= log p(x)"),
        ("distortion, nats", f"{-_mean(terms.log_likelihood):.2f}", ""),
        ("rate, nats", f"{_mean(terms.kl):.2f}", ""),
        (
            "mean noise variance σ², grey levels²",
            f"{data_variance:.3f}",
            f"{comparison.ppca_variance:.3f}",
        ),
        (
            f"collapsed latents (ε={collapse.epsilon:g}, δ={collapse.delta:g})",
            f"{int(collapse.collapsed.sum())} of {k}",
            "",
        ),
    ]


def _legend(comparison: _Comparison, vae: "VAE") -> str:
    scores, n = comparison.scores, len(comparison.ppca)
    gain = scores.value - comparison.ppca
    gain_error = gain.std(ddof=1) / np.sqrt(n)
    return "\n".join(
        [
            "log p(x) is the density of the pixels in their own units, 0 to 16. ± is one standard "
            f"error over {n} images:",
            "the spread over images and the Monte Carlo error together (of Monte Carlo alone: "
            f"{monte_carlo_error(scores):.2f}).",
            f"{_IMPORTANCE_SAMPLES} draws an image, effective sample size "
            f"{np.median(scores.effective_sample_size):.0f} in the median: "
            "the estimate errs on the low side.",
            f"The VAE is ahead of pPCA by {_mean(gain):.2f} ± {gain_error:.2f} nats an image "
            f"(paired). Training: {vae.outcome_.value} after {vae.n_epochs_} epochs.",
        ]
    )


def _mean(values: Any) -> float:
    return float(np.mean(values, dtype=np.float64))


def _draw(vae: "VAE", held_out: "Source", rates: np.ndarray) -> "Figure":
    """Draw samples, reconstructions and the latent plane."""
    from wellposed import evaluation, plotting

    rows = held_out.values[:_N_RECONSTRUCTIONS]
    return plotting.demo_figure(
        ancestral=vae.sample(_N_SAMPLES),
        mean=vae.sample(_N_SAMPLES, "mean"),  # the same seed, so the same latents
        data=rows,
        reconstructed=vae.reconstruct(rows),
        latents=vae.transform(held_out),
        labels=held_out.labels,
        rates=rates,
        prior=evaluation.plotted_prior(vae.model_.prior, key=vae.key("sample")),
        image_shape=held_out.image_shape or (),
    )
