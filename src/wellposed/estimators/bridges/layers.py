"""The linear layers of a PyTorch module, divided into an encoder and a decoder by their shapes."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from wellposed import nn
from wellposed._errors import SettingError
from wellposed.numerics import on_device

from .modules import is_torch

_WEIGHTS = ("weight", "bias")


@dataclasses.dataclass(frozen=True, eq=False)
class Layer:
    """One linear layer: x ↦ x W + b.

    Parameters
    ----------
    name : in the module
    weight : W, shape (n_in, n_out)
    bias : b, shape (n_out,)
    """

    name: str
    weight: np.ndarray
    bias: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Chains:
    """The layers of an encoder, the last with both halves of q, and those of a decoder."""

    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]

    @property
    def k(self) -> int:
        """Number of latents."""
        return len(self.decoder[0].weight)


def linear_layers(module: Any) -> list[Layer]:
    """Return the layers of a module in the order in which it has them.

    Raises
    ------
    SettingError
        If it is no PyTorch module, or has parameters or buffers outside of layers called Linear.
    """
    if not is_torch(module):
        raise SettingError(
            f"from_torch takes a torch.nn.Module; got a {type(module).__name__}. To judge a model "
            "of another framework, call wellposed.audit(module, X)."
        )
    parts = [(name, part) for name, part in module.named_modules() if _is_linear(part)]
    owned = {f"{name}.{each}" for name, _ in parts for each in _WEIGHTS}
    others = [name for name in module.state_dict() if name not in owned]
    if others or not parts:
        raise SettingError(
            "from_torch takes a module whose weights are all those of Linear layers; got "
            f"{', '.join(others[:4]) or 'no Linear layer'}. For convolutions and normalisation "
            "call wellposed.audit(module, X), or train a wellposed.VAE(encoder=..., decoder=...)."
        )
    return [_layer(name, part) for name, part in parts]


def _is_linear(part: Any) -> bool:
    return type(part).__name__ == "Linear"


def _layer(name: str, part: Any) -> Layer:
    weight = _array(part.weight).T
    bias = np.zeros(weight.shape[1], weight.dtype) if part.bias is None else _array(part.bias)
    return Layer(name, weight, bias)


def _array(tensor: Any) -> np.ndarray:
    return np.array(tensor.detach().cpu().numpy(), np.float32)


def divisions(layers: list[Layer], d: int) -> Iterator[Chains]:
    """Yield each division of layers into an encoder of d features and a decoder to them.

    The encoder ends in two layers of one shape, for mean and log variance, or in one layer that
    has both; the decoder follows it, or comes first.
    """
    for order in (layers, _decoder_last(layers, d)):
        for n in range(len(order)):
            trunk, rest = order[:n], order[n:]
            for heads, decoder in ((_joined(rest[:2]), rest[2:]), (rest[0], rest[1:])):
                if heads is None or not decoder:
                    continue
                encoder, k = (*trunk, heads), len(decoder[0].weight)
                ends = _ends(encoder) == (d, 2 * k) and _ends(decoder) == (k, d)
                if ends and _fit(encoder) and _fit(decoder):
                    yield Chains(encoder, tuple(decoder))
        if layers and len(layers[0].weight) == d:
            return


def _decoder_last(layers: list[Layer], d: int) -> list[Layer]:
    """Layers from the first that takes d features on, then those before it."""
    first = next((i for i, layer in enumerate(layers) if len(layer.weight) == d), 0)
    return layers[first:] + layers[:first]


def _joined(heads: list[Layer]) -> Layer | None:
    if len(heads) < 2 or heads[0].weight.shape != heads[1].weight.shape:
        return None
    weight = np.concatenate([head.weight for head in heads], axis=1)
    return Layer(heads[0].name, weight, np.concatenate([head.bias for head in heads]))


def _ends(chain: Any) -> tuple[int, int]:
    return len(chain[0].weight), chain[-1].weight.shape[1]


def _fit(chain: Any) -> bool:
    return all(a.weight.shape[1] == len(b.weight) for a, b in itertools.pairwise(chain))


def network_of(chain: tuple[Layer, ...], activation: str) -> nn.MLP:
    """Return the network of a chain of layers."""
    layers = (nn.Linear(on_device(each.weight), on_device(each.bias)) for each in chain)
    return nn.MLP(tuple(layers), activation)


def hidden_of(chain: tuple[Layer, ...]) -> tuple[int, ...]:
    """Return the widths of the hidden layers."""
    return tuple(layer.weight.shape[1] for layer in chain[:-1])
