"""p(x | z): one family a file."""

from ._abstract import AbstractNoise as AbstractNoise
from ._beta import Beta as Beta
from ._continuous_bernoulli import ContinuousBernoulli as ContinuousBernoulli
from ._gaussian import Gaussian as Gaussian
from ._laplace import Laplace as Laplace
from ._low_rank import LowRankGaussian as LowRankGaussian
from ._quantile import Quantile as Quantile
from ._resolve import FAMILIES as FAMILIES
from ._resolve import resolve as resolve
from ._student_t import StudentT as StudentT
from ._truncated_normal import TruncatedNormal as TruncatedNormal
