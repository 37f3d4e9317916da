"""Models: what maps data to latents and back."""

from ._owned import owned as owned
from ._sampling import SAMPLERS as SAMPLERS
from ._sampling import sample as sample
from ._vae import Inferred as Inferred
from ._vae import VAEModel as VAEModel
from ._vae import check_bounded as check_bounded
