"""Types of rows, and literal types of the settings."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from wellposed import datasets, latents, nn, noise, objectives, sources, transforms
from wellposed._typing import Progress as Progress
from wellposed.tables import Schema

from .data.table import Table


@runtime_checkable
class Sparse(Protocol):
    """A sparse matrix."""

    def toarray(self) -> Any:
        """Return a dense array."""
        ...


@runtime_checkable
class Frame(Protocol):
    """A frame of pandas or polars, or a table of Arrow."""

    @property
    def columns(self) -> Any:
        """The columns, or their names."""
        ...


FilePath: TypeAlias = str | os.PathLike[str]
# Rows of data, (n, d); a Table has been read already.
Rows: TypeAlias = (
    Table | ArrayLike | FilePath | datasets.Source | sources.BlockSource | Sparse | Frame
)
Resolution: TypeAlias = Literal["auto"] | ArrayLike
Seed: TypeAlias = int | np.random.RandomState | None

# Why entries are missing.
Gaps: TypeAlias = Literal["ignorable", "self-masking", "self-masking-high", "self-masking-low"]

NoiseWord: TypeAlias = Literal[
    "auto",
    "shared",
    "feature",
    "conditional",
    "bernoulli",
    "beta",
    "beta-binomial",
    "categorical",
    "causal-gaussian",
    "causal-logistic",
    "continuous-bernoulli",
    "discretized-gaussian",
    "discretized-logistic",
    "gamma",
    "laplace",
    "log-normal",
    "low-rank",
    "negative-binomial",
    "poisson",
    "quantile",
    "student-t",
    "truncated-normal",
    "zero-inflated",
]
Noise: TypeAlias = float | NoiseWord | noise.AbstractNoise | Schema
Network: TypeAlias = Literal["mlp", "conv"] | nn.MakeNetwork
TransformWord: TypeAlias = Literal[
    "auto", "identity", "log", "log1p", "logit", "robust", "standardize", "unit"
]
Transform: TypeAlias = (
    TransformWord
    | transforms.AbstractTransform
    | Mapping[str | int, TransformWord | transforms.AbstractTransform]
)
ObjectiveWord: TypeAlias = Literal["elbo", "iwae", "squared_error"]
Objective: TypeAlias = ObjectiveWord | objectives.AbstractObjective
Sampler: TypeAlias = Literal["ancestral", "mean", "coupled"]
PriorSetting: TypeAlias = (
    Literal["standard", "aggregate", "mixture", "vamp", "flow"] | latents.AbstractPrior
)
Method: TypeAlias = Literal["importance", "encoder", "ais", "exact", "auto"]
# Covariates: names or positions of columns, and their kinds.
Given: TypeAlias = Sequence[str | int] | Mapping[str | int, Literal["number", "category"] | None]
# Values of covariates, by name or in rows.
Values: TypeAlias = Frame | Mapping[str | int, ArrayLike] | ArrayLike
Missing: TypeAlias = Literal["ignorable"] | None
Solver: TypeAlias = Literal["accelerated", "auto", "fixed_point", "gradient"]
