"""Construction of a model, an objective and a plan from settings and a summary of the data."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from wellposed import latents, models, nn, noise, objectives, training, transforms
from wellposed._checks import check_numbers
from wellposed._errors import SettingError
from wellposed._typing import PRNGKey
from wellposed.numerics import on_device

from .data.names import same_image
from .start.filling import fill_linearly
from .start.linear import has_linear_start, is_drawn, start_linear
from .start.prior import start_prior
from .start.settings import epochs_of, patience_of, warmup_of

# With batches of 128 rows a small table has few steps an epoch, and too few in 200 epochs.
_STEPS_AN_EPOCH = 20
_SMALL_BATCH, _LARGE_BATCH = 16, 128
# Which values are missing, by the setting ``missing``.
_DIRECTIONS: dict[str, noise.missing.Direction] = {
    "self-masking": "learned",
    "self-masking-high": "high",
    "self-masking-low": "low",
}


def build(
    settings: dict[str, Any],
    rows: np.ndarray,
    summary: transforms.Summary,
    image_shape: tuple[int, ...] | None,
    *,
    key: PRNGKey,
    names: Sequence[str] | None = None,
    n_covariates: int = 0,
) -> models.VAEModel:
    """Make a model as it is drawn, with transform and noise fitted to the data.

    Parameters
    ----------
    settings : of the estimator
    rows : array of shape (n, d), data units
    summary : of the rows
    image_shape : of one datum, or None
    key : PRNG key
    names : of the columns, for messages
    n_covariates : c, numbers that a conditional model is given

    Raises
    ------
    SettingError
        For unknown names, and networks that do not fit the data.
    DataError
        For data off the transform's domain or the noise's support.
    """
    encoder_key, decoder_key, moments_key, noise_key = (
        jax.random.fold_in(key, i) for i in range(4)
    )
    observation = observation_of(settings)
    transform = transform_of(settings, observation, one_unit=summary.one_unit).fit(summary)
    check_domain(rows, transform, observation, names)
    moments = transform.moments(summary, key=moments_key)
    moments = dataclasses.replace(moments, image_shape=image_shape)
    observation = observation.initialise(moments, key=noise_key).in_units_of(transform, moments)
    posterior = latents.DiagonalNormal()
    d, k = len(summary.mean), settings["n_components"]
    encoder, decoder = networks(settings, image_shape)
    n_in, c = observation.encoder_width(d), n_covariates
    model = models.VAEModel(
        transform=transform,
        prior=latents.StandardNormal(k),
        encoder=nn.make_with_given(encoder, n_in, c, posterior.n_raw * k, key=encoder_key)
        if c
        else nn.make_network(encoder, n_in, posterior.n_raw * k, key=encoder_key),
        posterior=posterior,
        decoder=nn.make_network(decoder, k + c, observation.n_raw * d, key=decoder_key),
        noise=observation,
        reach=models.Reach.of(moments),
        given=on_device(np.zeros(c)) if c else None,
    )
    if observation.allows_missing:
        models.check_marginal(model)
    return model


def observation_of(settings: dict[str, Any]) -> noise.AbstractNoise:
    """Return the noise that the settings name, not yet fitted; that of missing entries likewise."""
    whole = noise.resolve(settings["noise"])
    if settings["missing"] is None:
        return whole
    if settings["missing"] == "ignorable":
        return noise.Ignorable(whole)
    return noise.SelfMasking(whole, _DIRECTIONS[settings["missing"]])


def start(
    settings: dict[str, Any],
    model: models.VAEModel,
    rows: np.ndarray,
    summary: transforms.Summary,
    image_shape: tuple[int, ...] | None,
    trained: np.ndarray,
    *,
    key: PRNGKey,
) -> models.VAEModel:
    """Return the model of :func:`build` at its start: its prior, and the linear solution.

    Parameters
    ----------
    settings, model, rows, summary, image_shape, key : as of :func:`build`
    trained : indices of the rows that are trained on; the start does not see the others
    """
    moments_key, start_key, prior_key = (jax.random.fold_in(key, i) for i in (2, 4, 5))
    prior = start_prior(settings, model, rows, trained=trained, key=prior_key)
    model = dataclasses.replace(model, prior=prior)
    if model.noise.allows_missing:
        model = fill_linearly(model, rows[trained], key=jax.random.fold_in(key, 6))
    if isinstance(model.noise, noise.SelfMasking):
        own = models.own_columns(model, rows[trained])
        masking = model.noise.of_gaps(np.isnan(own))
        model = eqx.tree_at(lambda m: m.noise, model, masking)
    arrays, rest = eqx.partition(model, eqx.is_array)
    model = eqx.combine(jax.device_put(arrays), rest)
    if not (settings["linear_start"] and has_linear_start(model)):
        return model
    moments = model.transform.moments(summary, key=moments_key)
    moments = dataclasses.replace(moments, image_shape=image_shape)
    return start_linear(model, rows[trained], moments, key=start_key)


def transform_of(
    settings: dict[str, Any], observation: noise.AbstractNoise, *, one_unit: bool
) -> transforms.AbstractTransform:
    """Resolve the transform that the settings name, not yet fitted."""
    return transforms.resolve(
        settings["transform"],
        one_unit=one_unit,
        support=observation.support,
        heavy_tailed=observation.heavy_tailed,
    )


def check_domain(
    rows: np.ndarray,
    transform: transforms.AbstractTransform,
    observation: noise.AbstractNoise,
    names: Sequence[str] | None = None,
) -> None:
    """Refuse rows, in data units, off the domain of the transform or the support of the noise.

    Parameters
    ----------
    rows : array of shape (n, d), data units
    transform, observation : fitted
    names : of the columns, for the message

    Raises
    ------
    DataError
        With the transform or the family that fits the data; for values beyond a limit as well.
    """
    transforms.check_support(
        rows, transform.domain, who=f"The {type(transform).__name__} transform", names=names
    )
    if isinstance(transform, transforms.ByColumn):
        transform.check(rows, names)
    if transform.range is None:
        observation.check_rows(rows, names)
    observation.check_limits(rows, names)


def typical_row(model: models.VAEModel) -> np.ndarray:
    """Return a datum in the domain of a model that allows missing entries, shape (d,)."""
    observed: Any = model.noise
    return np.asarray(model.transform.inverse(observed.typical))


def check_image_shape(
    shape: tuple[int, ...] | None, d: int, given: tuple[int, ...] | None = None
) -> None:
    """Refuse a shape that has not d numbers, or is not that of the images passed.

    Raises
    ------
    SettingError
        Naming both.
    """
    if not same_image(given, shape):
        raise SettingError(
            f"image_shape must be the shape of the images passed, {tuple(given or ())}; got "
            f"{tuple(shape or ())}. Leave it out, or transpose the images."
        )
    if shape is None or int(np.prod(shape)) == d:
        return
    raise SettingError(
        f"image_shape must multiply to the number of features; {shape} gives "
        f"{int(np.prod(shape))}, the data have {d}. Correct image_shape, or leave it out."
    )


def networks(settings: dict[str, Any], image_shape: tuple[int, ...] | None) -> tuple[Any, Any]:
    """Return the makers of the encoder and the decoder."""
    return tuple(
        nn.resolve(
            settings[role],
            role=role,
            hidden=tuple(settings["hidden"]),
            activation=settings["activation"],
            image_shape=image_shape,
        )
        for role in ("encoder", "decoder")
    )  # type: ignore[return-value]


def plan_of(
    settings: dict[str, Any], n_rows: int, n_folds: int = 0, *, drawn: bool = False
) -> training.Plan:
    """Collect the numbers of the training; rows, folds and start decide those that are "auto".

    Parameters
    ----------
    settings : of the estimator
    n_rows, n_folds : of the training
    drawn : whether the model has no linear start, see :func:`warmup_of`
    """
    batch_size = settings["batch_size"]
    if batch_size == "auto":
        # A power of two, so that a small change of the number of rows changes no shape.
        most = 1 << max(n_rows // _STEPS_AN_EPOCH, 1).bit_length() - 1
        batch_size = min(_LARGE_BATCH, max(_SMALL_BATCH, most))
    image = settings["image_shape"] is not None
    trained = n_rows * (1 - settings["validation_fraction"])
    max_epochs = epochs_of(settings["max_epochs"], math.ceil(trained / batch_size))
    return training.Plan(
        batch_size=batch_size,
        max_epochs=max_epochs,
        learning_rate=settings["learning_rate"],
        weight_decay=settings["weight_decay"],
        clip_norm=np.inf if settings["clip_norm"] is None else settings["clip_norm"],
        kl_warmup=warmup_of(settings["kl_warmup"], max_epochs, drawn=drawn),
        encoder_steps=settings["encoder_steps"],
        patience=patience_of(settings["patience"], max_epochs, n_folds, image=image),
        ema_decay=settings["ema_decay"],
        precision=settings.get("precision", "float32"),
    )


def member_of(
    settings: dict[str, Any],
    model: models.VAEModel,
    n_rows: int,
    *,
    key: PRNGKey,
    n_folds: int = 0,
) -> training.Member:
    """Collect the model, the settings and the plan of a training on ``n_rows`` rows."""
    return training.Member(
        model,
        key,
        objective_of(settings),
        plan_of(settings, n_rows, n_folds, drawn=is_drawn(model)),
        settings["validation_fraction"],
        settings["allow_unbounded"],
    )


def objective_of(settings: dict[str, Any]) -> objectives.AbstractObjective:
    """Return the objective that the settings name."""
    return objectives.resolve(
        settings["objective"], beta=settings["beta"], n_importance=settings["n_importance"]
    )


def resolution_of(settings: dict[str, Any], d: int) -> np.ndarray | None:
    """Check the resolution against the number of features; None: determined from the data.

    Raises
    ------
    SettingError
        If it is no number ≥ 0, or does not give one for each feature.
    """
    given = settings["resolution"]
    if isinstance(given, str) and given == "auto":
        return None
    remedy = 'Give the step of the measurement in data units, such as 0.01, or "auto".'
    return check_numbers("resolution", given, remedy, n=d, low=0)
