"""Figures of each row under a VAE of labelled rows."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed import evaluation, models
from wellposed._typing import Covariates, Latent, Point, PRNGKey, Scalar
from wellposed.evaluation import over_rows
from wellposed.models.labelled import FirstStage, LabelledVAE
from wellposed.numerics import log_mean_exp, on_device, scalar
from wellposed.objectives import log_weights

from .._words import Method

_BLOCK = 16  # draws at a time, of which each has a pass for each class


def outputs(model: LabelledVAE, rows: np.ndarray, *, key: PRNGKey) -> np.ndarray:
    """Return the classifier's output at each row, shape (n, outputs)."""
    return over_rows(_output, model, rows, key=key)


def latents(model: LabelledVAE, rows: np.ndarray, *, key: PRNGKey) -> np.ndarray:
    """Return E[z | x] = Σ_y q(y | x) E[z | x, y] of each row, shape (n, k)."""
    return over_rows(_latent, model, rows, key=key)


def model_units(model: LabelledVAE, rows: np.ndarray, *, key: PRNGKey) -> np.ndarray:
    """Return the rows of a single stage in model units, shape (n, d)."""
    return over_rows(_mapped, model, rows, key=key)


def log_joint(
    model: LabelledVAE,
    rows: np.ndarray,
    labels: np.ndarray,
    *,
    n_samples: int,
    method: Method = "importance",
    key: PRNGKey,
) -> np.ndarray:
    """Estimate log p(x, y) of each row with some labels, shape (n, labels), in nats.

    Parameters
    ----------
    model : of the data, or of the latents of a first stage
    rows : array of shape (n, d), data units
    labels : as the model has them, shape (n, l), or (l,) for all rows
    n_samples : draws of z a row and label
    method : estimate of log p(x | y) of a single stage, see ``VAE.score_samples``; two stages have
        draws of both encoders
    key : PRNG key
    """
    labels = np.broadcast_to(labels, (len(rows), labels.shape[-1]))
    if model.first is not None:
        given = np.concatenate([rows, labels], axis=1)
        sizes = {"n_labels": labels.shape[1], "n_samples": n_samples}
        return over_rows(_two_stages, model, given, key=key, chunk=8, **sizes)
    each = []
    for column in labels.T:
        own, given = conditional(model, rows, column)
        found = evaluation.estimate_log_likelihood(
            own, given, key=key, n_samples=n_samples, method=method
        )
        each.append(np.asarray(found.value) + _log_p(model, column))
    return np.stack(each, axis=1)


def _log_p(model: LabelledVAE, labels: np.ndarray) -> np.ndarray:
    return np.asarray(jax.vmap(model.labels.log_p)(on_device(labels)))


def conditional(
    model: LabelledVAE, rows: np.ndarray, labels: np.ndarray
) -> tuple[models.VAEModel, np.ndarray]:
    """Return the VAE of p(x | y), and rows followed by y as it is given.

    Parameters
    ----------
    model : LabelledVAE
    rows : array of shape (n, d)
    labels : y of each row, as the model has it, shape (n,)
    """
    given = np.asarray(jax.vmap(model.labels.give)(on_device(labels)))
    return model.at(scalar(0.0)), np.concatenate([rows, given], axis=1)


def draws(
    model: LabelledVAE, labels: np.ndarray, *, how: str, alpha: float, key: PRNGKey
) -> np.ndarray:
    """Draw a datum for each label, shape (n, d), data units.

    Parameters
    ----------
    model : LabelledVAE
    labels : as the model has them, shape (n,)
    how, alpha : see :func:`wellposed.evaluation.samples`; of two stages, of the last
    key : PRNG key
    """
    given = (model, scalar(alpha))
    return over_rows(_draw, given, labels[:, None], key=key, distinct=True, how=how)


def _output(model: LabelledVAE, x: Point, *, key: PRNGKey) -> Covariates:
    first_key, key = jax.random.split(key)
    return model.output(model.typical_data_of(x, key=first_key), key=key)


def _mapped(model: LabelledVAE, x: Point, *, key: PRNGKey) -> Point:
    return model.vae.to_model_units(x, key=key).value


def _latent(model: LabelledVAE, x: Point, *, key: PRNGKey) -> Latent:
    first_key, key = jax.random.split(key)
    data = model.typical_data_of(x, key=first_key)
    points = model.labels.points(model.output(data, key=key), jnp.asarray(jnp.nan))
    means = jax.vmap(lambda given: model.vae.at(given).infer(data, key=key).q.loc)(points.given)
    return points.weight @ means


def _draw(
    given: tuple[LabelledVAE, Scalar], label: Float[Array, " one"], *, key: PRNGKey, how: str
) -> Point:
    model, alpha = given
    latent_key, data_key, rest_key, noise_key = jax.random.split(key, 4)
    vae = model.at(label[0])
    z = vae.prior.sample(key=latent_key)
    if not isinstance(model.first, FirstStage):
        return models.SAMPLERS[how](vae, z, alpha, key=noise_key)
    code = models.SAMPLERS["ancestral"](vae, z, alpha, key=data_key)
    whole = model.first.complete(code, key=rest_key)
    return models.SAMPLERS[how](model.first.model, whole, alpha, key=noise_key)


def _two_stages(
    model: LabelledVAE, row: Point, *, key: PRNGKey, n_labels: int, n_samples: int
) -> Float[Array, " labels"]:
    r"""log p(x, y) by draws z₁ ~ q(z₁ | x), z₂ ~ q(z₂ | z₁, y).

    The weights are p(x | z₁) p(z₁ | z₂, y) p(z₂) / (q(z₁ | x) q(z₂ | z₁, y)), where the latents
    that the second stage leaves out have their standard normal prior.
    """
    x, labels = row[:-n_labels], row[-n_labels:]
    first: FirstStage = model.first  # type: ignore[assignment]
    infer_key, draw_key = jax.random.split(key)
    found = first.model.infer(x, key=infer_key)

    def weights(key: PRNGKey) -> Float[Array, " labels"]:
        latent_key, map_key, second_key = jax.random.split(key, 3)
        standard = jax.random.normal(latent_key, found.q.batch_shape)
        z = found.q.loc + found.q.scale * standard
        likelihood = first.model.decode(z).log_prob(found.y) + found.log_det
        # log p(z₁) − log q(z₁ | x) under N(0, I), without the prior of those latents that are kept.
        code = z[first.kept]
        ratio = first.model.prior.log_ratio(found.q, standard) - first.model.prior.log_prob(z)
        rest = z.at[first.kept].set(0.0)
        ratio = ratio + first.model.prior.log_prob(rest) + _log_zero(code)
        mapped = model.vae.to_model_units(code, key=map_key)

        def of_label(label: Scalar) -> Scalar:
            vae = model.at(label)
            q = vae.encode(mapped.value)
            inner, prior = log_weights(vae, mapped.value, q, n_samples=1, key=second_key)
            return (inner + prior)[0] + mapped.log_det + model.labels.log_p(label)

        return likelihood + ratio + jax.vmap(of_label)(labels)

    keys = jax.random.split(draw_key, n_samples)
    return log_mean_exp(jax.lax.map(weights, keys, batch_size=_BLOCK))


def _log_zero(code: Latent) -> Scalar:
    """Undo the log N(0 | 0, 1) of the latents that were set to zero."""
    return 0.5 * code.shape[0] * jnp.log(2 * jnp.pi)
