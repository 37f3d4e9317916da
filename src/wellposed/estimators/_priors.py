"""Priors that are fitted to the codes, in place of N(0, I)."""

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from wellposed import evaluation, latents, models, training, transforms
from wellposed._errors import DataError, TrainingWarning, unknown_name
from wellposed._typing import PRNGKey
from wellposed.numerics import host_generator

from ._build import build, plan_of
from ._words import Progress

MOST_CODES = 60_000  # rows
# Draws z ~ q(z | x) of each row. With one draw, 100 components with full covariances overfit the
# draws: on MNIST three gave the held-out codes half a nat more.
_DRAWS = 3
_SECOND_STAGE_CODES = 20_000  # about two minutes of training

_SIZES = (1, 5, 20, 50, 100, 200)  # components tried
_HELD_OUT = 0.2
_REFINED = 10  # maximum number of EM steps on all draws, after those on the first draws
# Share of the codes' mean variance, far below the posterior variance of useful latents.
_RIDGE = 1e-4

_SECOND_STAGE = {
    "prior": "standard",
    "linear_start": False,
    "ema_decay": 0.0,
    "noise": "shared",
    "transform": "standardize",
    "encoder": "mlp",
    "decoder": "mlp",
    "hidden": (256, 256),
    "activation": "relu",
    "batch_size": "auto",
    "max_epochs": 150,
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "clip_norm": None,
    "kl_warmup": 0,
    "encoder_steps": 0,
    "patience": 15,
}
# Codes have no resolution of measurement: this share of their standard deviation is the floor.
_FINEST = 1e-3


def draw_codes(model: models.VAEModel, rows: np.ndarray, *, key: PRNGKey) -> np.ndarray:
    """Three draws z ~ q(z | x) of each of at most 60,000 rows, shape (n, 3, k)."""
    codes = evaluation.codes(model, rows, key=key, most=MOST_CODES)
    noise = host_generator(key).normal(size=(len(codes.loc), _DRAWS, codes.loc.shape[1]))
    return (codes.loc[:, None] + codes.scale[:, None] * noise).astype(np.float32)


def aggregate(codes: np.ndarray, *, key: PRNGKey, progress: Progress) -> latents.GaussianMixture:
    """Fit a mixture of Gaussians with full covariances, which approximates the mean of q(z | x).

    ``codes`` are draws of each row, (n, r, k). The number of components, 1, 5, 20, 50, 100 or 200,
    rises as long as the log density of a held-out fifth of the rows does; all rows then refine it.
    One thread is used: the products are small, and waiting threads took fifty times as long on two
    busy cores.
    """
    rows = codes.astype(np.float64)
    order_key, start_key = (jax.random.fold_in(key, i) for i in range(2))
    order = host_generator(order_key).permutation(len(rows))
    held = max(1, round(_HELD_OUT * len(rows)))
    settings = {
        "reg_covar": _RIDGE * max(rows.var(axis=(0, 1)).mean(), np.finfo(np.float32).tiny),
        "random_state": int(jax.random.bits(start_key) >> 1),
    }
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # Without convergence the mixture is still valid: the held-out rows compare the mixtures.
        warnings.simplefilter("ignore", ConvergenceWarning)
        best = _choose(rows[order[held:]], rows[order[:held]], settings, progress)
        whole = _refine(best, rows, settings)
    return latents.GaussianMixture(
        jnp.asarray(np.log(whole.weights_), jnp.result_type(float)),
        jnp.asarray(whole.means_, jnp.result_type(float)),
        jnp.asarray(np.linalg.cholesky(whole.covariances_), jnp.result_type(float)),
    )


def _choose(
    rows: np.ndarray, held: np.ndarray, settings: dict[str, Any], progress: Progress
) -> Any:
    """Return the mixture of highest held-out log density, for sizes that rise until it falls.

    Each component has at least k + 1 rows on average, which a covariance requires.
    """
    n, _, k = rows.shape
    rows = rows if n > 1 else np.repeat(rows, 2, axis=0)  # scikit-learn requires two
    best, highest, done = None, -np.inf, 0
    sizes = [size for size in _SIZES if size == 1 or size * (k + 1) <= n]
    bar = training.Bar(sum(sizes), progress, unit="component")
    for size in sizes:
        tried = _refine(GaussianMixture(size, **settings).fit(rows[:, 0]), rows, settings)
        reached = float(tried.score(_draws(held)))
        done += size
        bar.show(done, f"held-out log density {reached:.2f} nats with {size}")
        if best is not None and reached <= highest:
            break
        best, highest = tried, reached
    bar.close()
    return best


def _refine(start_mixture: Any, rows: np.ndarray, settings: dict[str, Any]) -> Any:
    """Continue the fit of a mixture on all draws of the rows."""
    start = {"weights_init": start_mixture.weights_, "means_init": start_mixture.means_}
    start["precisions_init"] = start_mixture.precisions_
    mixture = GaussianMixture(start_mixture.n_components, max_iter=_REFINED, **settings, **start)
    return mixture.fit(_draws(rows))


def _draws(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, rows.shape[-1])


def second_stage(codes: np.ndarray, *, key: PRNGKey, progress: Progress) -> models.SecondStage:
    """Train a second VAE on the first code of each row, separately from the first VAE.

    References: Dai & Wipf (2019), §4.
    """
    build_key, fit_key = jax.random.split(key)
    codes = codes[:: -(-len(codes) // _SECOND_STAGE_CODES), 0]
    settings = {**_SECOND_STAGE, "n_components": codes.shape[1]}
    summary = transforms.summarise(codes, _FINEST * codes.std(axis=0, dtype=np.float64))
    run = training.fit(
        build(settings, codes, summary, None, key=build_key),
        codes,
        key=fit_key,
        plan=plan_of(settings, len(codes)),
        validation_fraction=0.1,
        progress=progress,
    )
    if run.outcome is training.Outcome.interrupted:
        raise KeyboardInterrupt  # a half-trained prior is not stored
    if run.outcome is training.Outcome.nonfinite:
        warnings.warn(
            "The second stage's objective became non-finite; its last good state was kept. "
            'Compare it with prior="aggregate" by prior_mismatch(X) before using it.',
            TrainingWarning,
            stacklevel=4,
        )
    return models.SecondStage(run.model)


FITTED: dict[str, Callable[..., latents.Prior]] = {
    "aggregate": aggregate,
    "second-stage": second_stage,
}
PRIORS = ("standard", *FITTED)


def fit_prior(
    name: str, codes: np.ndarray | None, *, key: PRNGKey, progress: Progress
) -> latents.Prior:
    """Fit the prior of that name to codes.

    Parameters
    ----------
    name : "aggregate" or "second-stage"
    codes : array of shape (n, r, k), r draws of z for each row; None where none are stored
    key : PRNG key
    progress : a progress bar

    Raises
    ------
    SettingError
        For an unknown name.
    DataError
        For fewer than two codes, or none.
    """
    if name not in FITTED:
        raise unknown_name("A prior to fit", name, FITTED)
    if codes is None:
        raise DataError(
            "A prior is fitted to codes of the training data, which this model does not have. "
            f'Call fit_prior("{name}", X) with rows like those of the training.'
        )
    if len(codes) < 2:
        raise DataError(
            f"A prior is fitted to at least 2 codes, one a row of data; there is {len(codes)}. "
            f'Call fit_prior("{name}", X) with more rows.'
        )
    return FITTED[name](codes, key=jax.random.fold_in(key, PRIORS.index(name)), progress=progress)
