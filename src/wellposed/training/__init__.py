"""Training: one compiled scan an epoch, state in and state out."""

from ._fit import EpochReport as EpochReport
from ._fit import Run as Run
from ._fit import fit as fit
from ._outcome import Outcome as Outcome
from ._plan import Plan as Plan
