"""The integer twin of a VAE."""

import numpy as np

from wellposed._checks import check_count
from wellposed._errors import SettingError
from wellposed.models import VAEModel

from ..bits_back import BitsBackCodec
from ..latents import PLACE_BITS
from .families import parts_of
from .groups import groups_of
from .inputs import integer_inputs
from .networks import integer_network, posterior_outputs
from .precision import Precision
from .priors import integer_prior


def integer_model(
    model: VAEModel,
    *,
    offset: np.ndarray | float | None = None,
    resolution: np.ndarray | float | None = None,
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
    offset, resolution : number or array of shape (d,)
        Data are offset + resolution·symbol, in data units; 0 and 1 by default. Noise on whole
        numbers has its data as symbols. Noise on the real line is integrated over the resolution.
    weight_bits, activation_bits : int, 4 to 20
        Fractional bits of weights and of activations.
    latent_bits : int, 4 to 16
        Each latent has 2^latent_bits cells.

    Raises
    ------
    SettingError
        For a part of the model that has no integer twin, for a resolution too fine, and for sums
        that could reach 2⁵³.

    References: Ballé, Johnston & Minnen (2019), integer networks.
    """
    check_count("weight_bits", weight_bits, "12 is a start.", low=4, most=20)
    check_count("activation_bits", activation_bits, "14 is a start.", low=4, most=20)
    check_count("latent_bits", latent_bits, "12 is a start.", low=4, most=16)
    _check(model)
    groups, d = groups_of(model, offset, resolution)
    precision = Precision(weight_bits, activation_bits)
    model = model.with_fixed_prior()
    prior, k = integer_prior(model.prior, latent_bits), model.prior.k
    inputs = integer_inputs(groups, model.reach, d, activation_bits)
    encoder = integer_network(model.encoder, posterior_outputs(k), precision, role="encoder")
    encoder.check(inputs.limit, name="encoder")
    parts, outputs = parts_of(groups, d, precision)
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
