"""Data units ⇄ model units, each with log |det J|."""

from ._abstract import AbstractTransform as AbstractTransform
from ._abstract import Transformed as Transformed
from ._identity import Identity as Identity
from ._logit import Logit as Logit
from ._resolve import resolve as resolve
from ._standardize import Standardize as Standardize
from ._summary import Moments as Moments
from ._summary import Summary as Summary
from ._summary import check_finite as check_finite
from ._summary import check_precision as check_precision
from ._summary import resolution_of as resolution_of
from ._summary import summarise as summarise
from ._support import BINARY as BINARY
from ._support import COUNTS as COUNTS
from ._support import MIXED as MIXED
from ._support import REALS as REALS
from ._support import UNIT as UNIT
from ._support import Support as Support
from ._support import check_support as check_support
from ._support import levels as levels
from ._suspects import Suspect as Suspect
from ._suspects import described as described
from ._suspects import suspects as suspects
from ._unit import Unit as Unit
