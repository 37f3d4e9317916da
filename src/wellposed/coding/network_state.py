"""Integer networks as trees of numbers and arrays."""

from typing import Any

from .integer import Activation, AnyLayer, Convolution, Layer, Network, Picked

_KINDS: dict[str, Any] = {"convolution": Convolution, "picked": Picked}


def network_state(network: Network) -> dict[str, Any]:
    """Return what a network is made of."""
    skip = network.skip
    late = {"late": [network.n_late, network.late]} if network.n_late else {}
    return {
        **late,
        "layers": [layer.state() for layer in network.layers],
        "activation": network.activation.name,
        "bits": network.activation.bits,
        "skip": None if skip is None else skip.state(),
    }


def network_from_state(state: dict[str, Any]) -> Network:
    """Undo :func:`network_state`."""
    skip = state["skip"]
    return Network(
        tuple(map(_layer, state["layers"])),
        Activation(state["activation"], state["bits"]),
        None if skip is None else Layer.from_state(skip),
        *state.get("late", ()),
    )


def _layer(state: dict[str, Any]) -> AnyLayer:
    """Return a layer; one without a kind is fully connected."""
    return _KINDS[state["kind"]].from_state(state) if "kind" in state else Layer.from_state(state)
