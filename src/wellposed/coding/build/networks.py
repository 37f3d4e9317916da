"""Trained networks as integer networks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wellposed._errors import SettingError
from wellposed.nn import MLP, ConvDecoder, ConvEncoder, GivenAfter, Linear, LinearSkip

from ..integer import Activation, Layer, Network
from ..latents import PLACE_BITS
from ..logs import RAW_BITS
from .convolutions import down_layers, up_layers
from .precision import Outputs, Precision


def posterior_outputs(k: int) -> Outputs:
    """Return the outputs of an encoder of k latents: means, then raw scales."""
    bits = np.repeat([PLACE_BITS, RAW_BITS], k)
    return Outputs(np.arange(2 * k), np.ones(2 * k), np.zeros(2 * k), bits)


def integer_network(net: Any, outputs: Outputs, precision: Precision, *, role: str) -> Network:
    """Round a network whose inputs are whole numbers of 2^-activation_bits.

    Raises
    ------
    SettingError
        For a network of another kind than those of :mod:`wellposed.nn`.
    """
    extra, skip = 0.0, None
    if isinstance(net, LinearSkip):
        extra, weight = _array(net.bias), _array(net.weight)
        padded = np.zeros((weight.shape[0], len(extra)))
        padded[:, : weight.shape[1]] = weight
        skip = _last(padded, np.zeros(len(extra)), outputs, precision, half=False)
        net = net.network
    if isinstance(net, GivenAfter):
        return _given_after(net, extra, skip, outputs, precision, role)
    if isinstance(net, ConvDecoder):
        layers = [*_hidden(net.head.layers, precision), *up_layers(net, extra, outputs, precision)]
    else:
        before = down_layers(net, precision) if isinstance(net, ConvEncoder) else []
        *hidden, last = _layers(net, role)
        end = _last(_array(last.weight), _array(last.bias) + extra, outputs, precision)
        layers = [*before, *_hidden(hidden, precision), end]
    name = getattr(net, "activation", "identity")
    return Network(tuple(layers), Activation(name, precision.activation_bits), skip)


def _given_after(
    net: GivenAfter,
    extra: np.ndarray | float,
    skip: Layer | None,
    outputs: Outputs,
    precision: Precision,
    role: str,
) -> Network:
    """Convolutions, then layers that have given values too."""
    body: Any = net.body
    before = down_layers(body, precision) if isinstance(body, ConvEncoder) else []
    before = [*before, *_hidden(_layers(body, role), precision)]
    *hidden, last = net.head.layers
    end = _last(_array(last.weight), _array(last.bias) + extra, outputs, precision)
    layers = (*before, *_hidden(hidden, precision), end)
    n_late = _array(net.head.layers[0].weight).shape[0] - before[-1].n_out
    activation = Activation(net.activation, precision.activation_bits)
    return Network(layers, activation, skip, n_late, len(before))


def _hidden(layers: Sequence[Linear], precision: Precision) -> list[Layer]:
    return [
        Layer.rounded(
            _array(layer.weight),
            _array(layer.bias),
            in_bits=precision.activation_bits,
            weight_bits=precision.weight_bits,
            out_bits=precision.activation_bits,
        )
        for layer in layers
    ]


def _last(
    weight: np.ndarray,
    bias: np.ndarray,
    outputs: Outputs,
    precision: Precision,
    *,
    half: bool = True,
) -> Layer:
    take, times = outputs.take, outputs.times
    plus = outputs.plus if half else 0.0
    return Layer.rounded(
        weight[:, take] * times,
        bias[take] * times + plus,
        in_bits=precision.activation_bits,
        weight_bits=precision.weight_bits,
        out_bits=outputs.bits,
        half=half,
    )


def _layers(net: Any, role: str) -> list[Linear]:
    if isinstance(net, MLP):
        return list(net.layers)
    if isinstance(net, ConvEncoder):
        return list(net.head.layers)
    if isinstance(net, Linear):
        return [net]
    raise SettingError(
        "An integer model needs networks of fully connected layers or of this library's "
        f'convolutions; the {role} is {type(net).__name__}. Train with {role}="mlp" or "conv".'
    )


def _array(leaf: Any) -> np.ndarray:
    return np.asarray(leaf, np.float64)
