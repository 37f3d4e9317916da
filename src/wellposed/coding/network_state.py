"""Integer networks as trees of numbers and arrays."""

from typing import Any

from .integer import Activation, Layer, Network


def network_state(network: Network) -> dict[str, Any]:
    """Return what a network is made of."""
    skip = network.skip
    return {
        "layers": [_layer_state(layer) for layer in network.layers],
        "activation": network.activation.name,
        "bits": network.activation.bits,
        "skip": None if skip is None else _layer_state(skip),
    }


def network_from_state(state: dict[str, Any]) -> Network:
    """Undo :func:`network_state`."""
    skip = state["skip"]
    return Network(
        tuple(Layer(**layer) for layer in state["layers"]),
        Activation(state["activation"], state["bits"]),
        None if skip is None else Layer(**skip),
    )


def _layer_state(layer: Layer) -> dict[str, Any]:
    names = ("weight", "bias", "in_bits", "weight_bits", "out_bits", "half")
    return {name: getattr(layer, name) for name in names}
