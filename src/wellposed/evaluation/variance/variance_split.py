r"""Split of the variance of the data between the latents and the noise.

.. math:: Var\, x_j = Var\, E[x_j \mid z] + E\, Var[x_j \mid z]

for z ~ p(z), the model's own draws, and for z ~ q(z) = E_x q(z | x). The first split is of the
variance of p(x), which equals that of the data if the model has the right marginals. The second
split is for the z that the decoder was trained on.

The likelihood has one best noise variance. For a fixed encoder and a fixed mean μ(z), the ELBO of
Gaussian noise is largest if σ² is the mean squared residual r = E_q (x − μ(z))². At another σ² it
is lower by ½ Σ_j (r_j/σ_j² − 1 − log(r_j/σ_j²)).

References: Tipping & Bishop (1999), eq. 8, for the linear model; Rybkin, Daniilidis & Levine
(2021), §3, for the best σ².
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_count
from wellposed._errors import DataError
from wellposed._forks import check_process
from wellposed._typing import Latent, Point, PRNGKey
from wellposed.models import VAEModel, draw_keys, optimum, own_columns
from wellposed.numerics import on_device

from .._estimate import Estimate, standard_error
from .._rows import over_rows, subsample, varying
from ..linear.model_units import IDENTITY, ModelUnits
from ..linear.spectrum import spectrum
from .affine_units import is_affine, slope, unit_of
from .noise_ratio import noise_ratio, total
from .variance_record import LinearSplit, Split, VarianceSplit

_MOST_ROWS = 5_000


@dataclasses.dataclass(frozen=True, eq=False)
class _Data:
    """Variance of each feature, the influence of each row on it, and the unit of sums."""

    variance: np.ndarray  # (d,)
    influence: np.ndarray  # (n, d)
    varies: np.ndarray  # (d,)
    unit: np.ndarray  # (d,)

    def share(self, values: np.ndarray, influence: np.ndarray) -> Estimate:
        """Ratio of the sum over features that vary, in model units, and that of the data."""
        v = self.varies
        weight = 1 / (self.unit[v] ** 2 * (self.variance[v] / self.unit[v] ** 2).sum())
        ratio = float(weight @ values[v])
        of_ratio = (influence[:, v] - ratio * self.influence[:, v]) @ weight
        return Estimate(ratio, float(standard_error(of_ratio)))


def variance_split(
    model: VAEModel, rows: ArrayLike, *, key: PRNGKey, n_draws: int = 8, most_rows: int = _MOST_ROWS
) -> VarianceSplit:
    r"""Split the variance of each feature into a part of the latents and a part of the noise.

    E[x|z] and Var[x|z] are exact if the noise is independent given z and the transform is affine.
    Otherwise two draws x, x' of the same z estimate them without bias: Cov(x, x') is Var E[x|z],
    and ½ (x − x')² has the expectation Var[x|z].

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), n ≥ 3, data units
    key : PRNG key
    n_draws : number of draws z ~ q(z | x) for each row, and of draws from the prior
    most_rows : largest number of rows to use, spread evenly over the data

    Raises
    ------
    SettingError
        If ``n_draws`` is below one.
    DataError
        If there are fewer than three rows, or no feature varies.

    Examples
    --------
    >>> found = variance_split(model, X, key=key)
    >>> found.prior.kept.shape, found.posterior.kept.shape
    ((4,), (4,))
    """
    check_process()
    n_draws = check_count("n_draws", n_draws, "8 is a start.")
    rows = np.asarray(rows)
    if len(rows) < 3:
        raise DataError(f"A variance split needs 3 rows or more; got {len(rows)}. Pass more rows.")
    rows = subsample(rows, most_rows)
    affine = is_affine(model)
    prior, posterior, residual, squares = _measure(
        model, rows, n_draws=n_draws, affine=affine, key=key
    )
    own = own_columns(model, rows)
    data = _data(model, own)
    unit = np.where(data.varies, data.unit, 1.0) ** 2
    ratio = noise_ratio(model, posterior[2] / unit, residual / unit, squares, data.varies)
    return VarianceSplit(
        data=data.variance,
        data_error=standard_error(data.influence),
        total_data=total(data.variance, data.influence),
        prior=_split(prior, data),
        posterior=_split(posterior, data),
        linear=_linear(model, own, affine=affine, key=jax.random.fold_in(key, 1)),
        noise_ratio=ratio.value,
        noise_ratio_error=ratio.standard_error,
        total_ratio=ratio.total,
        gain=ratio.gain,
        varies=data.varies,
        unit=data.unit,
        n_rows=len(rows),
        n_latents=model.prior.k,
    )


def _measure(model: VAEModel, rows: np.ndarray, *, n_draws: int, affine: bool, key: PRNGKey) -> Any:
    """Averages over the draws of each row, in one pass; see :func:`_averages`."""
    fixed = model, on_device(own_columns(model, rows).mean(axis=0, dtype=np.float64))
    settings = {"n_draws": n_draws, "closed": affine and model.has_independent_noise}
    numbers = 10 * rows.shape[1]
    return over_rows(_averages, fixed, rows, key=key, numbers=numbers, distinct=True, **settings)


def _data(model: VAEModel, rows: np.ndarray) -> _Data:
    values = np.asarray(rows, np.float64)
    squares = (values - values.mean(axis=0)) ** 2
    variance = squares.sum(axis=0) / (len(values) - 1)
    unit = unit_of(model, rows.shape[1])
    # A feature that was constant in training has a unit of zero.
    return _Data(variance, squares - variance, varying(rows) & (unit > 0), unit)


def _averages(
    fixed: tuple[VAEModel, Point], x: Point, *, key: PRNGKey, n_draws: int, closed: bool
) -> tuple:
    """Averages for the prior and for q, squared residuals in data and in model units.

    All have shape (d,); the averages are those of :func:`_products`.
    """
    model, center = fixed
    inference, (latent_key, prior_key, noise_key) = model.infer(x, key=key), draw_keys(key, 3)
    moments = _exact_moments if closed else _drawn_moments
    apart = x - center

    def one(keys: PRNGKey) -> tuple:
        z, of_prior = inference.q.sample(keys[0]), model.prior.sample(key=keys[1])
        coded, noise_keys = moments(model, z, center, key=keys[2]), jax.random.split(keys[3])
        free = moments(model, of_prior, center, key=noise_keys[0])
        residual = (apart - coded[0]) * (apart - coded[1])
        square = (inference.y - model.decode(z).mean) ** 2
        return _products(*free), _products(*coded), residual, square

    streams = (latent_key, prior_key, noise_key, jax.random.fold_in(noise_key, 1))
    # All streams in one call: each call of the generator is compiled separately.
    split = jax.vmap(lambda stream: jax.random.split(stream, n_draws), out_axes=1)
    keys = split(jnp.stack(streams))
    return jax.tree.map(lambda a: a.mean(axis=0), jax.lax.map(one, keys))


def _exact_moments(model: VAEModel, z: Latent, center: Point, *, key: PRNGKey) -> tuple:
    """E[x|z] less the centre, the same again, and Var[x|z]."""
    del key
    p = model.decode(z)
    mean = model.transform.inverse(p.mean) - center
    return mean, mean, slope(model, p.mean) ** 2 * p.variance


def _drawn_moments(model: VAEModel, z: Latent, center: Point, *, key: PRNGKey) -> tuple:
    """Return two draws of x given z minus the centre, and half their squared difference."""
    first, second = (
        model.transform.inverse(model.decode(z).sample(k)) - center for k in jax.random.split(key)
    )
    return first, second, 0.5 * (first - second) ** 2


def _products(first: Point, second: Point, kept: Point) -> tuple[Point, Point, Point]:
    """Product and mean of two values of E[x|z] or of x given z, and Var[x|z]."""
    return first * second, 0.5 * (first + second), kept


def _split(averages: Sequence[np.ndarray], data: _Data) -> Split:
    """Compute a split from the averages of m m', m and Var[x|z] of each row, each (n, d).

    Draws of one row depend on each other, so that the standard errors and the bias of the squared
    mean are computed over rows.
    """
    products, means, kept = (np.asarray(part, np.float64) for part in averages)
    n, mean = len(means), means.mean(axis=0)
    explained = products.mean(axis=0) - mean**2 + means.var(axis=0, ddof=1) / n
    of_explained = products - products.mean(axis=0) - 2 * mean * (means - mean)
    of_kept, kept = kept - kept.mean(axis=0), kept.mean(axis=0)
    whole, of_whole = explained + kept, of_explained + of_kept
    return Split(
        explained=explained,
        kept=kept,
        explained_error=standard_error(of_explained),
        kept_error=standard_error(of_kept),
        sum_error=standard_error(of_whole),
        total_explained=total(explained, of_explained),
        total_kept=total(kept, of_kept),
        total=total(whole, of_whole),
        share_explained=data.share(explained, of_explained),
        share_kept=data.share(kept, of_kept),
        share=data.share(whole, of_whole),
    )


def _linear(model: VAEModel, rows: np.ndarray, *, affine: bool, key: PRNGKey) -> LinearSplit:
    """Split by pPCA, in model units if the transform is affine and in data units otherwise."""
    of_rows = spectrum(rows, ModelUnits(model.transform, key) if affine else IDENTITY)
    k = max(min(model.prior.k, of_rows.rank - 1), 0)
    unit = unit_of(model, rows.shape[1])
    if k == 0:
        kept = np.full(len(unit), of_rows.total_variance / len(unit))
        return LinearSplit(np.zeros_like(kept), unit**2 * kept, 0)
    fitted = optimum(of_rows, k).model
    explained = (fitted.weight**2).sum(axis=1)
    return LinearSplit(unit**2 * explained, unit**2 * fitted.noise_variance, k)
