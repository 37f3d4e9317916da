"""Networks for encoders and decoders, and what a user's own must be."""

from ._activations import activate as activate
from ._activations import check_activation as check_activation
from ._check import check_network as check_network
from ._check import make_checked as make_checked
from ._conv import ConvDecoder as ConvDecoder
from ._conv import ConvEncoder as ConvEncoder
from ._conv import MakeConvDecoder as MakeConvDecoder
from ._conv import MakeConvEncoder as MakeConvEncoder
from ._flax import from_flax as from_flax
from ._mlp import MLP as MLP
from ._mlp import Linear as Linear
from ._mlp import MakeMLP as MakeMLP
from ._protocol import MakeNetwork as MakeNetwork
from ._protocol import Network as Network
from ._resolve import resolve as resolve
