r"""Where the variance of the data is: in the latents, or in the noise.

.. math:: Var\, x_j = Var\, E[x_j \mid z] + E\, Var[x_j \mid z]

for z ~ p(z), the model's own draws, and for z ~ q(z) = E_x q(z | x). The first is the variance of
p(x), and its sum is the data's where the model has the right marginals; in the second, the noise
is as it was trained.

Whether the noise keeps the right part is decided by the likelihood. At a fixed encoder and mean
μ(z), the ELBO of Gaussian noise is largest where σ² is the mean squared residual
r = E_q (x − μ(z))², and falls short of it by ½ Σ_j (r_j/σ_j² − 1 − log(r_j/σ_j²)) elsewhere.

References: Tipping & Bishop (1999), eq. 8, for the linear model; Rybkin, Daniilidis & Levine
(2021), §3, for σ² at its best.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._errors import DataError, SettingError
from wellposed._typing import Latent, Point, PRNGKey
from wellposed.models import VAEModel, optimum
from wellposed.noise import independent
from wellposed.transforms import UNIT, Identity, Standardize, Unit

from ._coverage import numbered, varying
from ._model_units import IDENTITY, ModelUnits
from ._noise_ratio import noise_ratio, standard_error
from ._prior_record import Estimate
from ._rows import filled, over_rows
from ._spectrum import spectrum
from ._variance_record import LinearSplit, Split, VarianceSplit

_MOST_ROWS = 5_000
_NUMBERS_AT_ONCE = 8_000_000


def variance_split(
    model: VAEModel, rows: Any, *, key: PRNGKey, n_draws: int = 8, most_rows: int = _MOST_ROWS
) -> VarianceSplit:
    r"""Split the variance of each feature into what the latents explain and what the noise keeps.

    E[x|z] and Var[x|z] are exact where the noise is independent given z and the transform affine.
    Elsewhere two draws x, x' of the same z stand in: Cov(x, x') is Var E[x|z], and ½ (x − x')² has
    the expectation Var[x|z], without bias.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), n ≥ 3, data units
    key : PRNG key
    n_draws : of z ~ q(z | x) for each row; as many come from the prior
    most_rows : used at most, spread over the data

    Raises
    ------
    SettingError
        If ``n_draws`` is below one.
    DataError
        If there are fewer than three rows, or no feature varies.
    """
    if isinstance(n_draws, bool) or not isinstance(n_draws, (int, np.integer)) or n_draws < 1:
        raise SettingError(f"n_draws must be a whole number ≥ 1; got {n_draws!r}. 8 is a start.")
    rows = np.asarray(rows)
    if len(rows) < 3:
        raise DataError(f"A variance split needs 3 rows or more; got {len(rows)}. Pass more rows.")
    if len(rows) > most_rows:
        rows = rows[np.linspace(0, len(rows) - 1, most_rows).astype(int)]
    pass_key, linear_key = jax.random.split(key)
    varies = varying(rows)
    values = np.asarray(rows, np.float64)
    center = values.mean(axis=0)
    closed = _affine(model) and independent(model.decode(jnp.zeros(model.prior.k)))
    fixed = model, jnp.asarray(center, jnp.result_type(float))
    chunk = filled(len(rows), max(1, min(256, _NUMBERS_AT_ONCE // (10 * rows.shape[1]))))
    visit = _visit(int(n_draws), closed)
    prior, posterior, residual, squares = over_rows(
        visit, fixed, numbered(rows), key=pass_key, chunk=chunk
    )
    deviations = (values - center) ** 2
    own = deviations.sum(axis=0) / (len(rows) - 1)
    of_data = own, deviations - own, varies
    unit = np.where(varies, own, 1.0)
    ratio = noise_ratio(model, posterior[2] / unit, residual / unit, squares, varies)
    return VarianceSplit(
        data=own,
        data_error=standard_error(deviations - own),
        total_data=_total(own, deviations - own),
        prior=_split(*prior, of_data),
        posterior=_split(*posterior, of_data),
        linear=_linear(model, rows, affine=_affine(model), key=linear_key),
        noise_ratio=ratio.value,
        noise_ratio_error=ratio.standard_error,
        total_ratio=ratio.total,
        gain=ratio.gain,
        varies=varies,
        n_rows=len(rows),
        n_latents=model.prior.k,
    )


def _affine(model: VAEModel) -> bool:
    """Whether data units are an affine map of model units, wherever the noise can be."""
    if isinstance(model.transform, Unit):
        return model.transform.n_levels is None and UNIT.contains(model.noise.support)
    return isinstance(model.transform, (Identity, Standardize))


@functools.lru_cache
def _visit(n_draws: int, closed: bool) -> Callable:
    moments = _exact_moments if closed else _drawn_moments

    def visit(fixed: tuple[VAEModel, Point], row: Point, *, key: PRNGKey) -> tuple:
        model, center = fixed
        transform_key, latent_key, prior_key, noise_key = jax.random.split(key, 4)
        found = model.infer(row[:-1], key=transform_key)
        apart = row[:-1] - center

        def one(keys: PRNGKey) -> tuple:
            z, of_prior = found.q.sample(keys[0]), model.prior.sample(key=keys[1])
            coded, noise_keys = moments(model, z, center, key=keys[2]), jax.random.split(keys[3])
            free = moments(model, of_prior, center, key=noise_keys[0])
            residual = (apart - coded[0]) * (apart - coded[1])
            square = (found.y - model.decode(z).mean) ** 2
            return _products(*free), _products(*coded), residual, square

        streams = (latent_key, prior_key, noise_key, jax.random.fold_in(noise_key, 1))
        keys = jnp.stack([jax.random.split(k, n_draws) for k in streams], axis=1)
        return jax.tree.map(lambda a: a.mean(axis=0), jax.lax.map(one, keys))

    return visit


def _exact_moments(model: VAEModel, z: Latent, center: Point, *, key: PRNGKey) -> tuple:
    """E[x|z] less the centre, twice, and Var[x|z]."""
    del key
    p = model.decode(z)
    mean = model.transform.inverse(p.mean) - center
    return mean, mean, _slope(model, p.mean) ** 2 * p.variance


def _drawn_moments(model: VAEModel, z: Latent, center: Point, *, key: PRNGKey) -> tuple:
    """Two draws of x given z less the centre, and half their squared difference."""
    first, second = (
        model.transform.inverse(model.decode(z).sample(k)) - center for k in jax.random.split(key)
    )
    return first, second, 0.5 * (first - second) ** 2


def _products(first: Point, second: Point, kept: Point) -> tuple[Point, Point, Point]:
    return first * second, 0.5 * (first + second), kept


def _slope(model: VAEModel, like: Point) -> Point:
    """dx/dy of an affine transform: the same everywhere, so at a place that nothing clips."""
    middle, one = jnp.full_like(like, 0.5), jnp.ones_like(like)
    return jax.jvp(model.transform.inverse, (middle,), (one,))[1]


OfData = tuple[np.ndarray, np.ndarray, np.ndarray]  # variance, its influences, what varies


def _split(products: np.ndarray, means: np.ndarray, kept: np.ndarray, of_data: OfData) -> Split:
    """From one row's averages of m m', m and Var[x|z], each (n, d), to a split.

    Draws of one row depend on each other: rows are what counts, in the errors and in what the
    square of the mean is too large by.
    """
    products, means, kept = (np.asarray(part, np.float64) for part in (products, means, kept))
    n, mean = len(means), means.mean(axis=0)
    explained = products.mean(axis=0) - mean**2 + means.var(axis=0, ddof=1) / n
    first = products - products.mean(axis=0) - 2 * mean * (means - mean)
    second = kept - kept.mean(axis=0)
    kept = kept.mean(axis=0)
    parts = ((explained, first), (kept, second), (explained + kept, first + second))
    totals = [_total(*part) for part in parts]
    shares = [_share(*part, of_data) for part in parts]
    return Split(explained, kept, *(standard_error(part[1]) for part in parts), *totals, *shares)


def _total(values: np.ndarray, influence: np.ndarray) -> Estimate:
    return Estimate(float(values.sum()), float(standard_error(influence.sum(axis=1))))


def _share(values: np.ndarray, influence: np.ndarray, of_data: OfData) -> Estimate:
    own, deviations, v = of_data
    ratio = values[v] / own[v]
    of_ratio = (influence[:, v] - ratio * deviations[:, v]) / own[v]
    return Estimate(float(ratio.mean()), float(standard_error(of_ratio.mean(axis=1))))


def _linear(model: VAEModel, rows: np.ndarray, *, affine: bool, key: PRNGKey) -> LinearSplit:
    """pPCA in the model's units, or in the data's where those are no affine map of them."""
    found = spectrum(rows, ModelUnits(model.transform, key) if affine else IDENTITY)
    k = max(min(model.prior.k, found.rank - 1), 0)
    slope = np.ones(rows.shape[1])
    if affine:
        slope = np.asarray(_slope(model, jnp.asarray(found.mean)), np.float64)
    if k == 0:
        kept = np.full(len(slope), found.total_variance / len(slope))
        return LinearSplit(np.zeros_like(kept), slope**2 * kept, 0)
    fitted = optimum(found, k).model
    explained = (fitted.weight**2).sum(axis=1)
    return LinearSplit(slope**2 * explained, slope**2 * fitted.noise_variance, k)
