"""Trained convolutions as layers of integers."""

import math

import numpy as np

from wellposed.nn import ConvDecoder, ConvEncoder

from ..integer import Arranged, Convolution, Layer, Picked
from .precision import Outputs, Precision

# Outputs of the last convolution are kept within ±2^10, as activations are.
_MOST_BITS = 10
_FINER = 4  # further fractional bits of their units


def down_layers(net: ConvEncoder, precision: Precision) -> list[Convolution]:
    """Return the convolutions of an encoder, of images of one datum one after another."""
    channels = net.kernels[0].weight.shape[2] // net.pyramid.image_shape[2]
    arranged = _arranged(net, channels)
    sides, layers = (arranged.height, arranged.width), []
    for kernel in net.kernels:
        sides = (sides[0] // 2, sides[1] // 2)
        first = None if layers else arranged
        layers.append(_rounded(kernel, sides, precision, transposed=False, arranged=first))
    return layers


def up_layers(
    net: ConvDecoder, extra: np.ndarray | float, outputs: Outputs, precision: Precision
) -> list[Convolution | Picked]:
    """Return the convolutions of a decoder.

    Parameters
    ----------
    net : ConvDecoder
    extra : added to its outputs, a number or of shape (n_out,)
    outputs : those that are kept, and their units
    """
    layers = []
    for i, kernel in enumerate(net.kernels):
        down = 2 ** (len(net.kernels) - i)
        arranged = _arranged(net, net.n_raw)
        sides = (arranged.height // down, arranged.width // down)
        layers.append(_rounded(kernel, sides, precision, transposed=True))
    bits, take = precision.activation_bits, outputs.take
    every = np.broadcast_to(np.asarray(extra, np.float64), (_n_out(net),))
    digits = precision.weight_bits + _FINER
    units = Layer.rounded(
        outputs.times[None],
        every[take] * outputs.times + outputs.plus,
        in_bits=bits,
        weight_bits=digits,
        out_bits=outputs.bits,
    )
    picked = _arranged(net, net.n_raw).places()[take]
    return [*layers[:-1], Picked(layers[-1], picked, units, bits + _MOST_BITS)]


def _rounded(kernel, sides, precision, *, transposed, arranged=None) -> Convolution:
    bits = precision.activation_bits
    return Convolution.rounded(
        np.asarray(kernel.weight, np.float64),
        np.asarray(kernel.bias, np.float64),
        sides,
        transposed=transposed,
        in_bits=bits,
        weight_bits=precision.weight_bits,
        out_bits=bits,
        arranged=arranged,
    )


def _arranged(net: ConvEncoder | ConvDecoder, n_images: int) -> Arranged:
    height, width, channels = net.pyramid.image_shape
    rows, columns, _ = net.pyramid.padding
    shape = (height, width, channels)
    return Arranged(n_images, shape, rows[0], columns[0], height + sum(rows), width + sum(columns))


def _n_out(net: ConvDecoder) -> int:
    return net.n_raw * math.prod(net.pyramid.image_shape)
