"""p(x | z): one family a file."""

from ._abstract import AbstractNoise as AbstractNoise
from ._causal_gaussian import CausalGaussian as CausalGaussian
from ._causal_logistic import CausalLogistic as CausalLogistic
from ._gaussian import Gaussian as Gaussian
from ._resolve import FAMILIES as FAMILIES
from ._resolve import resolve as resolve
