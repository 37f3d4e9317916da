"""Training of models: each epoch is one compiled program from state to state."""

from wellposed._bar import Bar
from wellposed.nn import PRECISIONS

from ._advance import Advance as Advance
from ._advance import advance
from ._checkpoint import fingerprint
from ._classifier import fit_classifier
from ._fit import EpochReport, fit
from ._fit import fit_member as fit_member
from ._folds import fit_folds
from ._history import COLUMNS, LAGGING, History
from ._member import Member
from ._outcome import Outcome
from ._plan import Plan
from ._run import Run
from ._training import split_folds, split_rows
from .chunked import Chunks as Chunks
from .chunked import fit_chunks
from .grid import fit_grid, resolve_together
from .inference import AmortisationGap, InferenceGaps, amortisation_gap, inference_gaps
from .linear import (
    LinearPlan,
    LinearRun,
    LinearState,
    fixed_point,
    gradient,
    mixture_em,
    mixture_of,
    state_of,
    subspace_iteration,
)
from .linear import (
    fewest_rows as fewest_rows,
)
from .linear import (
    random_state as random_state,
)
from .mesh import SHARDS, DataMesh

__all__ = [
    "COLUMNS",
    "LAGGING",
    "PRECISIONS",
    "SHARDS",
    "AmortisationGap",
    "Bar",
    "DataMesh",
    "EpochReport",
    "History",
    "InferenceGaps",
    "LinearPlan",
    "LinearRun",
    "LinearState",
    "Member",
    "Outcome",
    "Plan",
    "Run",
    "advance",
    "amortisation_gap",
    "fingerprint",
    "fit",
    "fit_chunks",
    "fit_classifier",
    "fit_folds",
    "fit_grid",
    "fixed_point",
    "gradient",
    "inference_gaps",
    "mixture_em",
    "mixture_of",
    "resolve_together",
    "split_folds",
    "split_rows",
    "state_of",
    "subspace_iteration",
]


def __dir__() -> list[str]:
    return sorted(__all__)
