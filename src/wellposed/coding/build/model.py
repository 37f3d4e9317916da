"""The integer twin of a VAE."""

import numpy as np

from wellposed._checks import check_count
from wellposed._errors import SettingError
from wellposed.models import VAEModel
from wellposed.noise import AbstractNoise
from wellposed.transforms import Identity

from ..bits_back import BitsBackCodec
from ..inputs import Inputs
from ..latents import PLACE_BITS
from .families import array, parts_of, posterior_outputs
from .networks import Precision, integer_network
from .priors import integer_prior


def integer_model(
    model: VAEModel,
    *,
    weight_bits: int = 12,
    activation_bits: int = 14,
    latent_bits: int = 12,
) -> BitsBackCodec:
    """Round a trained VAE to whole numbers, and return the codec of its data.

    Every sum of its networks is a whole number below 2⁵³, and every other function a table of
    whole numbers. The coded bytes are therefore the same on every machine, and for any batch and
    any number of threads.

    Parameters
    ----------
    model : VAEModel
        With noise on whole numbers. Symbols are its data in data units.
    weight_bits, activation_bits : int, 4 to 20
        Fractional bits of weights and of activations.
    latent_bits : int, 4 to 16
        Each latent has 2^latent_bits cells.

    Raises
    ------
    SettingError
        For a part of the model that has no integer twin, and for sums that could reach 2⁵³.

    References: Ballé, Johnston & Minnen (2019), integer networks.
    """
    check_count("weight_bits", weight_bits, "12 is a start.", low=4, most=20)
    check_count("activation_bits", activation_bits, "14 is a start.", low=4, most=20)
    check_count("latent_bits", latent_bits, "12 is a start.", low=4, most=16)
    _check(model)
    noise, d = model.noise, _n_features(model)
    precision = Precision(weight_bits, activation_bits)
    model = model.with_fixed_prior()
    prior, k = integer_prior(model.prior, latent_bits), model.prior.k
    inputs = _inputs(model, d, activation_bits)
    encoder = integer_network(model.encoder, posterior_outputs(k), precision, role="encoder")
    encoder.check(inputs.limit, name="encoder")
    parts, outputs = parts_of(noise, d, precision)
    decoder = integer_network(model.decoder, outputs, precision, role="decoder")
    limit = np.ceil(prior.grid.most() * 2.0 ** (activation_bits - PLACE_BITS)) + 1.0
    decoder.check(limit, name="decoder")
    return BitsBackCodec(inputs, encoder, decoder, prior, parts, activation_bits)


def _check(model: VAEModel) -> None:
    """Raise ``SettingError`` for what has no integer twin."""
    if model.given is not None:
        raise SettingError(
            "An integer model has no covariates; this model has "
            f"{model.n_covariates}. Fit it without covariates to compress."
        )
    if model.noise.allows_missing or model.noise.limited:
        raise SettingError(
            f"An integer model has no gaps and no limits; got {type(model.noise).__name__}. Fit "
            "it on complete rows to compress."
        )
    if not isinstance(model.transform, Identity):
        raise SettingError(
            "An integer model's symbols are the data in data units; got the transform "
            f'{type(model.transform).__name__}. Fit with transform="identity".'
        )


def _n_features(model: VAEModel) -> int:
    noise: AbstractNoise = model.noise
    center = getattr(getattr(noise, "shown", None), "center", None)
    if center is None:
        raise SettingError(
            f"An integer model needs noise that has its start from data; {type(noise).__name__} "
            "has none. Fit the model first."
        )
    return len(center)


def _inputs(model: VAEModel, d: int, bits: int) -> Inputs:
    """The encoder's inputs: levels in its units, within its reach."""
    noise: AbstractNoise = model.noise
    shown = noise.shown  # pyright: ignore[reportAttributeAccessIssue]
    center, spread = array(shown.center), float(shown.spread)
    low, high = np.zeros(d), np.full(d, float(noise.support.high))
    if model.reach is not None:
        middle, limit = array(model.reach.center), array(model.reach.limit)
        low, high = np.maximum(low, middle - 2 * limit), np.minimum(high, middle + 2 * limit)
        low, high = np.minimum(low, middle), np.maximum(high, middle)
    ends = ((low - center) / spread, (high - center) / spread)
    return Inputs.rounded(np.full(d, 1 / spread), -center / spread, *ends, bits=bits)
