"""scikit-learn's face: validate, translate, call, store."""

from ._file import load as load
from ._vae import VAE as VAE
