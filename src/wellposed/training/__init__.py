"""Training: one compiled program an epoch, state in and state out."""

from wellposed._bar import Bar as Bar

from ._advance import Advance as Advance
from ._advance import advance as advance
from ._advance import standing as standing
from ._checkpoint import fingerprint as fingerprint
from ._classifier import fit_classifier as fit_classifier
from ._fit import EpochReport as EpochReport
from ._fit import Run as Run
from ._fit import fit as fit
from ._history import COLUMNS as COLUMNS
from ._history import LAGGING as LAGGING
from ._history import History as History
from ._member import Member as Member
from ._outcome import Outcome as Outcome
from ._plan import Plan as Plan
from .grid import at_once as at_once
from .grid import fit_grid as fit_grid
from .inference import AmortisationGap as AmortisationGap
from .inference import InferenceGaps as InferenceGaps
from .inference import amortisation_gap as amortisation_gap
from .inference import inference_gaps as inference_gaps
from .linear import LinearPlan as LinearPlan
from .linear import LinearRun as LinearRun
from .linear import LinearState as LinearState
from .linear import accelerated as accelerated
from .linear import fixed_point as fixed_point
from .linear import gradient as gradient
from .linear import random_state as random_state
from .linear import state_of as state_of
