"""Training: one compiled scan an epoch, state in and state out."""

from ._accelerated import accelerated as accelerated
from ._advance import Advance as Advance
from ._advance import advance as advance
from ._advance import standing as standing
from ._amortisation import amortisation_gap as amortisation_gap
from ._bar import Bar as Bar
from ._checkpoint import fingerprint as fingerprint
from ._classifier import fit_classifier as fit_classifier
from ._fit import EpochReport as EpochReport
from ._fit import Run as Run
from ._fit import fit as fit
from ._fixed_point import fixed_point as fixed_point
from ._gaps import AmortisationGap as AmortisationGap
from ._gaps import InferenceGaps as InferenceGaps
from ._gaps import inference_gaps as inference_gaps
from ._gradient import gradient as gradient
from ._grid import fit_grid as fit_grid
from ._history import History as History
from ._linear import LinearPlan as LinearPlan
from ._linear import LinearRun as LinearRun
from ._linear import LinearState as LinearState
from ._linear import random_state as random_state
from ._linear import state_of as state_of
from ._member import Member as Member
from ._outcome import Outcome as Outcome
from ._plan import Plan as Plan
