"""Networks for encoders and decoders, and the interface of a user's own networks."""

from ._activations import activate, check_activation
from ._check import check_network, make_network
from ._conv import ConvDecoder, ConvEncoder, MakeConvDecoder, MakeConvEncoder
from ._ending import ENDINGS, Ending
from ._flax import from_flax
from ._given import GivenAfter, call_with, make_with_given
from ._linear_skip import LinearSkip, starts_at_zero, with_zero_output
from ._mlp import MLP, Linear, MakeMLP
from ._products import PRECISIONS, product, products_in
from ._protocol import MakeNetwork, Network
from ._resolve import resolve

__all__ = [
    "ENDINGS",
    "MLP",
    "PRECISIONS",
    "ConvDecoder",
    "ConvEncoder",
    "Ending",
    "GivenAfter",
    "Linear",
    "LinearSkip",
    "MakeConvDecoder",
    "MakeConvEncoder",
    "MakeMLP",
    "MakeNetwork",
    "Network",
    "activate",
    "call_with",
    "check_activation",
    "check_network",
    "from_flax",
    "make_network",
    "make_with_given",
    "product",
    "products_in",
    "resolve",
    "starts_at_zero",
    "with_zero_output",
]


def __dir__() -> list[str]:
    return sorted(__all__)
