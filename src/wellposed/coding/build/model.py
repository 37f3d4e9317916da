"""The integer twin of a VAE."""

import dataclasses
from typing import Any

import numpy as np

from wellposed._checks import check_count
from wellposed._errors import SettingError
from wellposed.models import VAEModel
from wellposed.noise import Ignorable

from ..beside import Beside, Given
from ..bits_back import BitsBackCodec
from ..latents import PLACE_BITS
from ..symbols import Part
from .beside import CovariateColumns, integer_gaps, integer_levels
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
    covariates: CovariateColumns | None = None,
    weight_bits: int = 12,
    activation_bits: int = 14,
    latent_bits: int = 12,
) -> BitsBackCodec:
    """Round a trained VAE to whole numbers, and return the codec of its data.

    Every sum of its networks is a whole number below 2⁵³, and every other function a table of
    whole numbers. The coded bytes therefore do not depend on the machine, the batch or the
    number of threads; docs/how-to/compression.md lists where that has been tried.

    Parameters
    ----------
    model : VAEModel
    offset, resolution : number or array of shape (d,); data are offset + resolution·symbol, in
        data units; 0 and 1 by default. Noise on whole numbers has its data as symbols. Noise on the
        real line is integrated over the resolution
    covariates : how the numbers that a conditional model is given are made of the columns of
        symbols that follow the features; by default they are these numbers
    weight_bits, activation_bits : fractional bits of weights and of activations, 4 to 20
    latent_bits : 4 to 16; each latent has 2^latent_bits cells

    Raises
    ------
    SettingError
        For a part of the model that has no integer twin, for a resolution too fine, and for sums
        that could reach 2⁵³.

    References: Ballé, Johnston & Minnen (2019), integer networks.

    Examples
    --------
    >>> integer_model(model, resolution=0.1).n_features
    4
    """
    _check_bits(weight_bits, activation_bits, latent_bits)
    _check(model)
    noise: Any = model.noise
    whole = dataclasses.replace(model, noise=noise.noise) if _has_gaps(noise) else model
    groups, d = groups_of(whole, offset, resolution)
    precision, model = Precision(weight_bits, activation_bits), model.with_fixed_prior()
    prior, k = integer_prior(model.prior, latent_bits), model.prior.k
    inputs = integer_inputs(groups, model.reach, d, activation_bits)
    gaps = integer_gaps(noise, groups, inputs, activation_bits)
    levels = integer_levels(whole.noise.input_columns(d), d, activation_bits)
    beside = Beside(gaps, _covariates(model, covariates, activation_bits), levels)
    encoder = integer_network(model.encoder, posterior_outputs(k), precision, role="encoder")
    encoder.check(beside.limits(inputs.limit, marks=True), name="encoder")
    parts, outputs = parts_of(groups, d, precision)
    _check_gaps(beside, parts, whole.noise)
    decoder = integer_network(model.decoder, outputs, precision, role="decoder")
    limit = np.ceil(prior.grid.most() * 2.0 ** (activation_bits - PLACE_BITS)) + 1.0
    decoder.check(beside.limits(limit, marks=False), name="decoder")
    return BitsBackCodec(inputs, encoder, decoder, prior, parts, activation_bits, beside)


def _check_bits(weight: int, activation: int, latent: int) -> None:
    check_count("weight_bits", weight, "12 is a start.", low=4, most=20)
    check_count("activation_bits", activation, "14 is a start.", low=4, most=20)
    check_count("latent_bits", latent, "12 is a start.", low=4, most=16)


def _covariates(model: VAEModel, columns: CovariateColumns | None, bits: int) -> Given | None:
    c = model.n_covariates
    if not c:
        return None
    columns = CovariateColumns.whole(c) if columns is None else columns
    if len(columns.column) != c:
        raise SettingError(
            f"The columns of covariates must make the {c} numbers that the model is given; they "
            f"make {len(columns.column)}. Describe those of the fit."
        )
    return columns.given(bits)


def _check_gaps(beside: Beside, parts: tuple[Part, ...], noise: Any) -> None:
    """Raise ``SettingError`` for gaps in features that depend on each other given z."""
    if beside.gaps is not None and not all(part.family.independent for part in parts):
        raise SettingError(
            "Missing entries are coded for noise whose features are independent given z; got "
            f'{type(noise).__name__}. Train with noise="conditional" to compress.'
        )


def _has_gaps(noise: Any) -> bool:
    return isinstance(noise, Ignorable)


def _check(model: VAEModel) -> None:
    """Raise ``SettingError`` for what has no integer twin."""
    noise = model.noise
    if (noise.allows_missing and not _has_gaps(noise)) or noise.limited:
        raise SettingError(
            f"An integer model has gaps that are ignorable, and no limits; got "
            f'{type(noise).__name__}. Fit with missing="ignorable", or on complete rows, to '
            "compress."
        )
