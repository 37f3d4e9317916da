"""Models: what maps data to latents and back."""

from ._classifier import Classifier as Classifier
from ._linear_vae import LinearVAEModel as LinearVAEModel
from ._linear_vae import inference_gap as inference_gap
from ._linear_vae import with_best_encoder as with_best_encoder
from ._owned import owned as owned
from ._ppca import PPCAModel as PPCAModel
from ._reach import Reach as Reach
from ._sampling import SAMPLERS as SAMPLERS
from ._sampling import sample as sample
from ._second_stage import SecondStage as SecondStage
from ._spectrum import Covariance as Covariance
from ._spectrum import Spectrum as Spectrum
from ._spectrum import eigendecompose as eigendecompose
from ._spectrum import oriented as oriented
from ._spectrum import varies as varies
from ._stationary import StationaryPoint as StationaryPoint
from ._stationary import are_directions as are_directions
from ._stationary import optimum as optimum
from ._stationary import stationary_point as stationary_point
from ._vae import Inferred as Inferred
from ._vae import VAEModel as VAEModel
from ._vae import check_bounded as check_bounded
from ._vae import draw_keys as draw_keys
