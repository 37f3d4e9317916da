"""p(x | z): one family a file."""

from ._abstract import AbstractNoise as AbstractNoise
from ._bernoulli import Bernoulli as Bernoulli
from ._beta_binomial import BetaBinomial as BetaBinomial
from ._categorical import Categorical as Categorical
from ._columns import Columns as Columns
from ._columns import check_rows as check_rows
from ._columns import placed as placed
from ._discretized_gaussian import DiscretizedGaussian as DiscretizedGaussian
from ._discretized_logistic import DiscretizedLogistic as DiscretizedLogistic
from ._gaussian import Gaussian as Gaussian
from ._negative_binomial import NegativeBinomial as NegativeBinomial
from ._poisson import Poisson as Poisson
from ._resolve import FAMILIES as FAMILIES
from ._resolve import resolve as resolve
