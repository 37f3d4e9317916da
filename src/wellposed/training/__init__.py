"""Training: one compiled scan an epoch, state in and state out."""

from ._advance import Advance as Advance
from ._advance import advance as advance
from ._advance import standing as standing
from ._fit import EpochReport as EpochReport
from ._fit import Run as Run
from ._fit import fit as fit
from ._history import History as History
from ._outcome import Outcome as Outcome
from ._plan import Plan as Plan
