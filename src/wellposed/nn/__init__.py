"""Networks for encoders and decoders, and the interface of a user's own networks."""

from ._activations import activate
from ._activations import check_activation as check_activation
from ._check import check_network as check_network
from ._check import make_network as make_network
from ._conv import ConvDecoder, ConvEncoder, MakeConvDecoder, MakeConvEncoder
from ._ending import ENDINGS, Ending
from ._flax import from_flax
from ._given import GivenAfter as GivenAfter
from ._given import call_with, make_with_given
from ._linear_skip import LinearSkip
from ._linear_skip import starts_at_zero as starts_at_zero
from ._linear_skip import with_zero_output as with_zero_output
from ._mlp import MLP, Linear, MakeMLP
from ._products import PRECISIONS, products_in
from ._products import product as product
from ._protocol import MakeNetwork, Network
from ._resolve import resolve as resolve

__all__ = [
    "ENDINGS",
    "MLP",
    "PRECISIONS",
    "ConvDecoder",
    "ConvEncoder",
    "Ending",
    "Linear",
    "LinearSkip",
    "MakeConvDecoder",
    "MakeConvEncoder",
    "MakeMLP",
    "MakeNetwork",
    "Network",
    "activate",
    "call_with",
    "from_flax",
    "make_with_given",
    "products_in",
]


def __dir__() -> list[str]:
    return sorted(__all__)
