"""Methods of the fitted exact models: PPCA, FactorAnalysis, MixturePPCA and LinearVAE."""

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_array, check_is_fitted

from wellposed import evaluation, models
from wellposed._errors import SettingError
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.numerics import kl_to_standard_normal
from wellposed.transforms import AbstractTransform

from .._file import save
from .._sizes import check_draws
from .._words import FilePath, Rows, Sampler, Seed
from ..data.rows import open_table, seed_of, validate_rows
from ..streamed.score import by_row


class ExactMethods:
    """Scores, latents and draws of a fitted model with an exact log p(x), in float64.

    A mixin of estimators.
    """

    model_: Any
    transform_: AbstractTransform  # the fitted map to model units
    _seed: int

    @property
    def _exact(self) -> models.AbstractLinearGaussian | models.MixturePPCAModel:
        """The model whose log p(x), latents and draws are those of the estimator."""
        return self.model_

    def _posterior_means(self, values: np.ndarray) -> np.ndarray:
        """Means (n, k) of q(z | x), for rows in model units."""
        return self._exact.posterior_means(values)

    def transform(self, X: Rows) -> np.ndarray:
        """Return the posterior mean E[z | x] of each row: (n, d) data units to (n, k)."""

        def means(rows: Rows) -> np.ndarray:
            return self._posterior_means(self._to_model_units(rows)[0])

        return self._by_row(means, X, call="transform")

    def inverse_transform(self, Z: ArrayLike) -> np.ndarray:
        """Return E[x | z] at each latent, through the transform: (n, k) to (n, d), data units."""
        check_is_fitted(self)
        latents = np.asarray(check_array(Z), np.float64)
        k = self._exact.n_latents
        if latents.shape[1] != k:
            raise SettingError(
                f"Z must have {k} columns, one a latent; got {latents.shape[1]}. "
                "Pass what transform() returns."
            )
        return self._units.back(self._exact.decode(latents))

    def reconstruct(self, X: Rows) -> np.ndarray:
        """Return E[x | z] at each row's posterior mean, shape (n, d), data units."""
        return self.inverse_transform(self.transform(X))

    def score_samples(self, X: Rows, *, out: FilePath | None = None) -> Any:
        """Return the exact log p(x) of each row, shape (n,), nats in data units.

        Parameters
        ----------
        X : array-like of shape (n, d), a path, or a source
        out : .npy or .parquet file to write the values to, in order; its path is then returned
        """

        def log_p(rows: Rows) -> np.ndarray:
            values, log_det = self._to_model_units(rows)
            return self._exact.log_density(values) + log_det

        return self._by_row(log_p, X, call="score_samples", out=out)

    def _by_row(
        self,
        function: Callable[[Any], np.ndarray],
        X: Rows,
        *,
        call: str,
        out: FilePath | None = None,
    ) -> Any:
        check_is_fitted(self)
        owner: Any = self
        return by_row(owner, function, X, call=call, out=out, names=["log_p"])

    def log_likelihood(
        self, X: Rows, n_samples: int = 1, method: Literal["exact", "auto"] = "exact"
    ) -> evaluation.LogLikelihood:
        """Return :meth:`score_samples` in the form of :meth:`VAE.log_likelihood`.

        ``n_samples`` is ignored, since the value is exact: standard errors are zero.

        Raises
        ------
        SettingError
            If ``method`` is neither "exact" nor "auto".
        """
        if method not in ("auto", "exact"):
            raise SettingError(
                f'method must be "exact" or "auto" for a {type(self).__name__}, whose log p(x) '
                f"has a closed form; got {method!r}. Leave it out."
            )
        return evaluation.LogLikelihood.exact(self.score_samples(X))

    def score(self, X: Rows, y: object = None) -> float:
        """Mean of :meth:`score_samples` over rows, in nats: larger is better."""
        return float(self.score_samples(X).mean())

    def sample(
        self,
        n_samples: int = 1,
        how: Sampler = "ancestral",
        *,
        alpha: float = 1.0,
        random_state: Seed = None,
    ) -> np.ndarray:
        """Draw new data.

        Parameters
        ----------
        n_samples : how many
        how : "ancestral" draws x ~ p(x | z); "mean" leaves the noise out; "coupled" adds
            alpha·σ to every feature of the mean
        alpha : of "coupled"
        random_state : None uses that of the estimator

        Returns
        -------
        array of shape (n_samples, d), data units
        """
        check_is_fitted(self)
        check_draws(
            n_samples, how, alpha, width=max(self._exact.n_latents, self._exact.mean.shape[-1])
        )
        seed = self._seed if random_state is None else seed_of(random_state)
        return self._units.back(_draw(self._exact, n_samples, how, alpha, jax.random.key(seed)))

    def save(self, path: FilePath, *, overwrite: bool = True) -> None:
        """Write the fitted estimator to one file, whole or not at all; see ``wp.load``."""
        check_is_fitted(self)
        save(self, path, overwrite=overwrite)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's settings by name."""
        own: Any = super()
        return {**own.get_params(deep), "transform": vars(self)["transform"]}

    def __sklearn_tags__(self) -> Any:
        own: Any = super()
        tags = own.__sklearn_tags__()
        tags.input_tags.sparse = True  # sparse rows become dense
        owner: Any = self
        tags.input_tags.allow_nan = owner.missing is not None
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    @property
    def _n_features_out(self) -> int:
        return self._exact.n_latents

    @property
    def _units(self) -> evaluation.ModelUnits:
        check_process()
        return evaluation.ModelUnits(self.transform_, jax.random.key(self._seed))

    def _to_model_units(self, X: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Rows in model units, and log |det dT/dx| of each."""
        check_is_fitted(self)
        owner: Any = self
        gaps = owner.missing is not None
        rows = validate_rows(owner, open_table(X), reset=False, gaps=gaps)
        return self._units.whole(rows)


class LinearMethods(ExactMethods):
    """Methods of a linear Gaussian model: each latent has a rate."""

    def _posterior(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means (n, k) and variances (k,) of q(z | x), for rows in model units.

        The variances are (n, k) for rows with gaps.
        """
        exact: Any = self._exact
        if np.isnan(values).any():
            return exact.posterior_means(values), exact.posterior_variances(values)
        return exact.posterior_means(values), np.diag(exact.posterior_covariance)

    def collapse(self, X: Rows, **thresholds: float) -> evaluation.Collapse:
        """Judge each latent on X; see :func:`wellposed.evaluation.collapse`."""
        means, variances = self._posterior(self._to_model_units(X)[0])
        with jax.enable_x64(True):
            rates = np.asarray(kl_to_standard_normal(jnp.asarray(means), jnp.sqrt(variances)))
        return evaluation.collapse(rates, means, **thresholds)


def _draw(
    model: models.AbstractLinearGaussian | models.MixturePPCAModel,
    n_samples: int,
    how: str,
    alpha: float,
    key: PRNGKey,
) -> np.ndarray:
    latent_key, noise_key = jax.random.split(key)
    mean, scale = model.draw(n_samples, key=latent_key)
    if how == "mean":
        return mean
    if how == "coupled":
        return mean + scale * alpha
    with jax.enable_x64(True):
        return mean + scale * np.asarray(jax.random.normal(noise_key, mean.shape))
