"""p(x | z): one family a file."""

from ._abstract import AbstractNoise as AbstractNoise
from ._discretized_gaussian import DiscretizedGaussian as DiscretizedGaussian
from ._discretized_logistic import DiscretizedLogistic as DiscretizedLogistic
from ._gaussian import Gaussian as Gaussian
from ._resolve import FAMILIES as FAMILIES
from ._resolve import resolve as resolve
