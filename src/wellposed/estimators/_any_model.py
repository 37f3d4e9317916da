"""Measures of any model or sample, for rows in any container that the estimators accept."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from wellposed import evaluation, models
from wellposed._errors import SettingError
from wellposed._typing import PRNGKey

from ._words import Rows
from .bridges.modules import Module, check_module, decoder_of, encoder_of, in_evaluation
from .data.rows import open_table


def audit(
    module: Module | None = None,
    X: Rows = (),
    *,
    encode: Callable[[np.ndarray], Any] | None = None,
    decode: Callable[[np.ndarray], Any] | None = None,
    noise_variance: float | evaluation.ImpliedNoise | None = None,
    encoder_scale: Literal["deviation", "variance", "log_variance"] | None = None,
    resolution: float | np.ndarray | None = None,
    n_samples: int = 8,
    batch_size: int = 256,
    random_state: int | np.random.Generator = 0,
) -> evaluation.Audit:
    r"""Audit the observation noise of a Gaussian VAE that was trained anywhere.

    See :func:`wellposed.evaluation.audit` for the formulas. Tensors are copied to the host.

    Parameters
    ----------
    module : a module of PyTorch, Keras or Flax whose ``encode`` gives the pair (mean, log
        variance) of q(z|x) and ``decode`` the mean of p(x|z); or instead of it
    encode : rows → mean and scale of q(z|x), two arrays of shape (rows, k)
    decode : latents → mean of p(x|z), in the shape and the units of X
    X : array-like or frame of shape (n, d), images of shape (n, H, W) or (n, H, W, C), or a path;
        n ≥ 2. ``encode`` receives rows of this shape.
    noise_variance : σ² of training, in squared units of X, or the record that
        :func:`wellposed.implied_noise_variance` returns; None if it is not known
    encoder_scale : second output of ``encode``; by default "log_variance" of a module, and else
        "deviation"
    resolution, n_samples, batch_size, random_state : see :func:`wellposed.evaluation.audit`

    Raises
    ------
    DataError
        If X is not a table of finite numbers, or an output has a wrong shape, is not finite, is
        random or depends on the other rows.
    SettingError
        For no module, a noise variance, a resolution, a count or a word out of range.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(500, 1))
    >>> X = z + 0.1 * np.random.default_rng(1).normal(size=(500, 4))
    >>> encode = lambda x: (x.mean(axis=1, keepdims=True), np.full((len(x), 1), 0.05))
    >>> result = audit(encode=encode, decode=lambda z: z + np.zeros(4), X=X, noise_variance=1.0)
    >>> round(result.optimal_noise_variance, 3)
    0.01
    """
    functions, scale = _functions(module, encode, decode)
    with in_evaluation(module):
        return evaluation.audit(
            **functions,
            X=_finite_rows(X),
            noise_variance=noise_variance,
            encoder_scale=encoder_scale or scale,
            resolution=resolution,
            n_samples=n_samples,
            batch_size=batch_size,
            random_state=random_state,
        )


def _functions(module: object, encode: object, decode: object) -> tuple[dict[str, Any], str]:
    """Return the two functions of a model, and the meaning of the scale of its encoder."""
    if module is None and encode is not None and decode is not None:
        return {"encode": encode, "decode": decode}, "deviation"
    if module is None or encode is not None or decode is not None:
        given = [name for name, value in _named(module, encode, decode) if value is not None]
        raise SettingError(
            "audit takes a module, or the two functions encode and decode; got "
            f"{', '.join(given) or 'none of them'}. Call audit(module, X), or audit(encode=..., "
            "decode=..., X=X)."
        )
    check_module(module)
    return {"encode": encoder_of(module), "decode": decoder_of(module)}, "log_variance"


def _named(module: object, encode: object, decode: object) -> tuple[tuple[str, object], ...]:
    return ("module", module), ("encode", encode), ("decode", decode)


def sample_quality(
    drawn: Rows,
    real: Rows,
    *,
    features: Callable[[np.ndarray], Any] | models.Classifier,
    held_out: Rows,
    key: PRNGKey,
    n_resamples: int = 30,
    k: int = 3,
) -> evaluation.SampleQuality:
    """Compare drawn rows with real ones, and held-out real rows with them in the same way.

    See :func:`wellposed.evaluation.sample_quality` for the standard errors.

    Parameters
    ----------
    drawn : array-like or frame of shape (n, d), or a path: draws from a model, data units
    real : array-like or frame of shape (N, d), or a path: the training data
    features : a function of an array (n, d) to one (n, f), or a classifier, whose last hidden
        layer is taken
    held_out : array-like or frame of shape (m, d), or a path: real rows that are not in ``real``
    key : PRNG key, of the choice of rows and of the resamples
    n_resamples : of the bootstrap
    k : neighbours, of :func:`wellposed.evaluation.precision_recall`

    Returns
    -------
    :class:`wellposed.evaluation.SampleQuality`; ``print`` it

    Raises
    ------
    DataError
        If rows or features are not finite numbers, differ in number, or are too few.
    SettingError
        If a number is out of range.

    Examples
    --------
    >>> import jax
    >>> rows = np.random.default_rng(0).normal(size=(300, 2))
    >>> result = sample_quality(
    ...     rows[:100] + 1, rows[100:200], features=np.asarray, held_out=rows[200:],
    ...     key=jax.random.key(0),
    ... )
    >>> result.frechet_ratio > 10
    True
    """
    return evaluation.sample_quality(
        _finite_rows(drawn),
        _finite_rows(real),
        features=features,
        held_out=_finite_rows(held_out),
        key=key,
        n_resamples=n_resamples,
        k=k,
    )


def _finite_rows(X: Rows) -> np.ndarray:
    """Read rows of finite numbers, and return them in the shape in which they were passed."""
    table = open_table(X)
    table.check_finite()
    values = np.ascontiguousarray(table.values)  # sums over another layout differ
    return values.reshape(len(values), *(table.image_shape or values.shape[1:]))
