"""Construction of a VAE of labelled rows from the settings of a VAE."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import numpy as np

from wellposed import models, nn
from wellposed._errors import SettingError
from wellposed._typing import PRNGKey
from wellposed.models.labelled import AbstractLabels, AuxiliaryEncoder, LabelledVAE
from wellposed.numerics import on_device

from .._build import networks
from .._settings import settings_of
from .._vae import VAE

_PRIORS = ("mixture", "standard")


def check_inner(vae: VAE, name: str, *, alone: bool) -> None:
    """Refuse settings of a VAE that it cannot have here.

    Parameters
    ----------
    vae : as it was passed
    name : of the setting that it was passed as
    alone : whether it is trained without labels, as any VAE

    Raises
    ------
    SettingError
        Of a model of labels for covariates, several devices, another objective than the ELBO, an
        aggressive encoder phase, and other priors.
    """
    settings = settings_of(vae)
    if not alone:
        check_no_covariates(vae, name)
    if settings["devices"] is not None and not alone:
        raise SettingError(
            f"A model of labelled rows is trained on one device; got {name} with "
            f"devices={settings['devices']!r}. Leave devices at its default."
        )
    refused = {
        "objective": settings["objective"] != "elbo",
        "beta": settings["beta"] != 1,
        "encoder_steps": settings["encoder_steps"] != 0,
        "prior": not (isinstance(settings["prior"], str) and settings["prior"] in _PRIORS),
    }
    for setting, bad in refused.items():
        if bad and not alone:
            raise SettingError(
                f"A model of labelled rows maximises the ELBO with p(z) = N(0, I); got {name} "
                f"with {setting}={settings[setting]!r}. Leave {setting} at its default."
            )


def check_no_covariates(vae: VAE, name: str) -> None:
    """Refuse covariates of a VAE that labels are modelled with."""
    if vae.covariates is not None:
        raise SettingError(
            f"A model of labelled rows has no covariates; got {name} with covariates="
            f'{vae.covariates!r}. Use method="features", whose VAE may have them, or leave them in '
            "X as columns."
        )


def labelled_model(
    vae: VAE,
    start: models.VAEModel,
    settings: dict[str, Any],
    labels: AbstractLabels,
    classifier: Any,
    *,
    auxiliary: bool = False,
    key: PRNGKey,
) -> LabelledVAE:
    """Make the model at its start: networks that take y as well, and a classifier.

    Parameters
    ----------
    vae : estimator with the attributes that describe the data
    start : its model at its start, from whose linear part the networks start
    settings : of the VAE, resolved
    labels : p(y) and the family of q(y | x)
    classifier : "mlp", "conv", a maker, or None for what the encoder is
    auxiliary : whether the model has an auxiliary variable, with as many entries as z
    key : PRNG key

    Raises
    ------
    SettingError
        For networks that do not fit.
    """
    encoder_key, decoder_key, classifier_key, auxiliary_key = jax.random.split(key, 4)
    shape, d, k, c = vae.image_shape_, vae.n_features_in_, start.prior.k, labels.n_given
    make_encoder, make_decoder = networks(settings, shape)
    n_in, noise, m = start.noise.encoder_width(d), start.noise, k if auxiliary else 0
    encoder = nn.make_with_given(make_encoder, n_in, c + m, 2 * k, key=encoder_key)
    decoder = nn.make_with_given(make_decoder, k, c, noise.n_raw * d, key=decoder_key)
    make_classifier = nn.resolve(
        settings["encoder"] if classifier is None else classifier,
        role="encoder",
        hidden=tuple(settings["hidden"]),
        activation=settings["activation"],
        image_shape=shape,
    )
    joint = dataclasses.replace(
        start,
        encoder=_beside(start.encoder, encoder, c + m),
        decoder=_beside(start.decoder, decoder, c),
    )
    if auxiliary:
        network = nn.make_with_given(make_classifier, n_in, m, labels.n_outputs, key=classifier_key)
        model = LabelledVAE(joint, network, labels)
        model = _with_auxiliary(model, make_encoder, (n_in, c, k), key=auxiliary_key)
    else:
        network = nn.make_network(make_classifier, n_in, labels.n_outputs, key=classifier_key)
        model = LabelledVAE(joint, network, labels)
    arrays, rest = eqx.partition(model, eqx.is_array)
    return eqx.combine(jax.device_put(arrays), rest)


def _with_auxiliary(
    model: LabelledVAE, make: nn.MakeNetwork, sizes: tuple[int, int, int], *, key: PRNGKey
) -> LabelledVAE:
    """Return a model whose encoder and classifier take a, with the networks of a as well.

    Parameters
    ----------
    model : without q(a | x) and p(a | x, y, z)
    make : maker of both
    sizes : lengths of the encoder's input, of y and of z
    key : PRNG key
    """
    n_in, c, k = sizes
    first_key, auxiliary_key = jax.random.split(key)
    first = nn.make_network(make, n_in, 2 * k, key=first_key)
    auxiliary = nn.make_with_given(make, n_in, c + k, 2 * k, key=auxiliary_key)
    vae = dataclasses.replace(model.vae, encoder=AuxiliaryEncoder(first, model.vae.encoder, n_in))
    return dataclasses.replace(model, vae=vae, auxiliary=auxiliary)


def _beside(start: Any, network: Any, n_given: int) -> Any:
    """Return a network beside the linear part of another one, which takes no y."""
    if not isinstance(start, nn.LinearSkip):
        return network
    weight = np.asarray(start.weight)
    widened = np.concatenate([weight, np.zeros((n_given, weight.shape[1]), weight.dtype)])
    return nn.LinearSkip(on_device(widened), start.bias, nn.with_zero_output(network))
