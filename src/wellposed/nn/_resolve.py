"""Resolution of ``encoder=`` and ``decoder=`` to makers of networks."""

from typing import Literal

from wellposed._errors import SettingError, unknown_name

from ._conv import MakeConvDecoder, MakeConvEncoder
from ._mlp import MakeMLP
from ._protocol import MakeNetwork


def resolve(
    network: str | MakeNetwork,
    *,
    role: Literal["encoder", "decoder"],
    hidden: tuple[int, ...] = (256, 256),
    activation: str = "relu",
    image_shape: tuple[int, ...] | None = None,
) -> MakeNetwork:
    """Turn ``"mlp"``, ``"conv"`` or a maker into a maker.

    Parameters
    ----------
    network : str or MakeNetwork
        A maker is returned unchanged; the other settings are then not used.
    role : {"encoder", "decoder"}
        Role of the network.
    hidden : tuple of int
        Widths of an MLP's hidden layers, from the data to the latents: the decoder has them in
        reverse. A convolutional network has no other hidden layers than its grids.
    activation : str
        Name of the activation.
    image_shape : tuple of int, optional
        ``(H, W)`` or ``(H, W, C)``, needed by ``"conv"``.

    Raises
    ------
    SettingError
        When the name is unknown, ``"conv"`` lacks its image shape, or a maker is not callable.
    """
    if isinstance(network, str):
        return _by_name(network, role, hidden, activation, image_shape)
    if not callable(network):
        raise SettingError(
            f'{role} must be "mlp", "conv" or a maker; got {network!r}. '
            "A maker is callable as make(n_in, n_out, key=key) and returns a network."
        )
    return network


def _by_name(name, role, hidden, activation, image_shape) -> MakeNetwork:
    if name == "mlp":
        return MakeMLP(hidden if role == "encoder" else hidden[::-1], activation)
    if name != "conv":
        raise unknown_name(role, name, ("mlp", "conv"))
    if image_shape is None:
        raise SettingError(
            f'{role}="conv" needs the shape of the images; got image_shape=None. '
            "Pass image_shape=(height, width) or (height, width, channels)."
        )
    make = MakeConvEncoder if role == "encoder" else MakeConvDecoder
    return make(image_shape, activation=activation)
