"""Trained networks as integer networks."""

import dataclasses
from typing import Any

import numpy as np

from wellposed._errors import SettingError
from wellposed.nn import MLP, Linear, LinearSkip

from ..integer import Activation, Layer, Network
from ..latents import PLACE_BITS
from ..logs import RAW_BITS


@dataclasses.dataclass(frozen=True)
class Precision:
    """Fractional bits of weights and of activations."""

    weight_bits: int
    activation_bits: int


@dataclasses.dataclass(frozen=True)
class Outputs:
    """Outputs of a network that are kept, in units of their own: times·out + plus.

    Parameters
    ----------
    take : positions of the outputs, shape (r,)
    times, plus : shape (r,)
    bits : fractional bits of the results, shape (r,)
    """

    take: np.ndarray
    times: np.ndarray
    plus: np.ndarray
    bits: np.ndarray

    @classmethod
    def none(cls) -> "Outputs":
        """Return no outputs."""
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0, np.int64))

    @classmethod
    def join(cls, each: list["Outputs"]) -> "Outputs":
        """Return outputs one after another."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(*(np.concatenate([getattr(one, name) for one in each]) for name in names))


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
    if isinstance(net, LinearSkip):
        inner = _layers(net.network, role)
        extra, weight = _array(net.bias), _array(net.weight)
        padded = np.zeros((weight.shape[0], len(extra)))
        padded[:, : weight.shape[1]] = weight
        skip = _last(padded, np.zeros(len(extra)), outputs, precision, half=False)
        net = net.network
    else:
        inner, extra, skip = _layers(net, role), 0.0, None
    *hidden, last = inner
    layers = [
        Layer.rounded(
            _array(layer.weight),
            _array(layer.bias),
            in_bits=precision.activation_bits,
            weight_bits=precision.weight_bits,
            out_bits=precision.activation_bits,
        )
        for layer in hidden
    ]
    layers.append(_last(_array(last.weight), _array(last.bias) + extra, outputs, precision))
    name = net.activation if isinstance(net, MLP) else "identity"
    return Network(tuple(layers), Activation(name, precision.activation_bits), skip)


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
    if isinstance(net, Linear):
        return [net]
    raise SettingError(
        f"An integer model needs networks of fully connected layers; the {role} is "
        f'{type(net).__name__}. Train with {role}="mlp".'
    )


def _array(leaf: Any) -> np.ndarray:
    return np.asarray(leaf, np.float64)
