"""p(x | z): one family a file."""

from ._abstract import AbstractNoise as AbstractNoise
from ._bernoulli import Bernoulli as Bernoulli
from ._beta import Beta as Beta
from ._beta_binomial import BetaBinomial as BetaBinomial
from ._categorical import Categorical as Categorical
from ._causal_gaussian import CausalGaussian as CausalGaussian
from ._causal_logistic import CausalLogistic as CausalLogistic
from ._columns import Columns as Columns
from ._columns import check_rows as check_rows
from ._columns import placed as placed
from ._continuous_bernoulli import ContinuousBernoulli as ContinuousBernoulli
from ._discretized_gaussian import DiscretizedGaussian as DiscretizedGaussian
from ._discretized_logistic import DiscretizedLogistic as DiscretizedLogistic
from ._gaussian import Gaussian as Gaussian
from ._independent import feature_log_prob as feature_log_prob
from ._independent import independent as independent
from ._laplace import Laplace as Laplace
from ._low_rank import LowRankGaussian as LowRankGaussian
from ._negative_binomial import NegativeBinomial as NegativeBinomial
from ._poisson import Poisson as Poisson
from ._quantile import Quantile as Quantile
from ._rescaled import Rescaled as Rescaled
from ._resolve import FAMILIES as FAMILIES
from ._resolve import resolve as resolve
from ._student_t import StudentT as StudentT
from ._truncated_normal import TruncatedNormal as TruncatedNormal
