"""Rules for the fields of the library's classes: declared type, finite, and in range.

``save`` and ``load`` apply the same rules. A checksum does not prove that this library wrote a
file: a negative variance has no square root, and a NaN weight makes every score NaN.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np

from wellposed import nn, noise, transforms
from wellposed._errors import WellposedError
from wellposed.noise.missing import Limits

# Squares of scales within these limits are neither zero nor infinite in float32.
_SMALLEST, _LARGEST = 1e-18, 1e18

# Distance from zero, in scales, beyond which float64 has no digits left.
_FARTHEST = 1e15

Rule = Callable[[Any], bool]


@dataclasses.dataclass(frozen=True)
class _Within:
    """Numbers from ``low`` to ``high``, both included."""

    low: int | float
    high: int | float

    def __call__(self, value: Any) -> bool:
        return bool(self._inside(value).all())

    def describe(self, value: Any) -> str:
        """Return the rule, and the first number that breaks it."""
        outside = np.asarray(value)[~self._inside(value)].ravel()[0]
        return f"must be from {self.low:g} to {self.high:g}; got {outside:g}."

    def _inside(self, value: Any) -> np.ndarray | np.bool_:
        return (np.asarray(value) >= self.low) & (np.asarray(value) <= self.high)


_scale = _Within(_SMALLEST, _LARGEST)
_variance = _Within(_SMALLEST**2, _LARGEST**2)
_floor = _Within(0.0, _LARGEST)
_count = _Within(1, 2**53)
_levels = _Within(2, 2**24)  # largest range of whole numbers that float32 resolves
_logarithm = _Within(-80.0, 80.0)  # within the range of float32
_weight = _Within(0.0, _LARGEST)
_amount = _Within(1e-38, 3.4e38)


def _odd_window(v: Any) -> bool:
    return v >= 3 and v % 2 == 1


def _rising(v: Any) -> bool:
    return all(
        0 < low < high < 1 for low, high in zip(v, (*v[1:], math.nextafter(1, 0)), strict=True)
    )


def _activation(v: Any) -> bool:
    return _is_accepted(lambda: nn.MakeMLP((1,), v))


def _kind(v: Any) -> bool:
    return v in ("given", "shared", "feature", "conditional")


def _widths(v: Any) -> bool:
    return all(width >= 1 for width in v)


_RULES: dict[str, dict[str, Rule]] = {
    "latents.DiagonalNormal": {"n_raw": lambda v: v == 2},
    "latents.FlowPrior": {
        "k": _count,
        "layers": _Within(1, 64),
        "width": _Within(1, 4096),
        "knots": _Within(1, 256),
    },
    "latents.GaussianMixture": {
        "cholesky": lambda v: _scale(np.abs(np.diagonal(v, axis1=-2, axis2=-1))),
    },
    "latents.StandardNormal": {"k": _count},
    "latents.VampPrior": {"k": _count},
    "models.AuxiliaryEncoder": {"n_in": _count},
    "models.Classifier": {"span": _scale, "activation": _activation},
    "models.FactorAnalysisModel": {"noise_variance": _variance},
    "models.LinearVAEModel": {"variance": _variance, "noise_variance": _variance},
    "models.MixturePPCAModel": {"noise_variance": _variance},
    "models.PPCAModel": {"noise_variance": _variance},
    "models.Spectrum": {"n_rows": _count},
    "nn.ConvDecoder": {"n_raw": _count, "activation": _activation},
    "nn.ConvEncoder": {"activation": _activation},
    "nn.ConvSettings": {"hidden": _widths, "activation": _activation},
    "nn.Ending": {"kind": lambda v: v in nn.ENDINGS},
    "nn.GivenAfter": {"n_in": _count, "activation": _activation},
    "nn.MLP": {"layers": lambda v: len(v) > 0, "activation": _activation},
    "nn.MakeMLP": {"hidden": _widths, "activation": _activation},
    "noise.Amounts": {
        "log_mean": _Within(-90.0, 90.0),
        "log_spread": _scale,
        "mean": _amount,
        "least": _amount,
        "rounding": _floor,
        "zeros": _Within(0.0, 1.0),
    },
    "noise.BetaBinomial": {"levels": _levels},
    "noise.Categorical": {"levels": _levels},
    "noise.CausalGaussian": {"size": _odd_window, "regression": _kind},
    "noise.CausalLogistic": {
        "levels": _levels,
        "size": _odd_window,
        "mixture": _Within(1, 10),
        "hidden": _widths,
        "n_raw": _count,
        "spread": _scale,
    },
    "noise.Cells": {"levels": _levels, "mixture": _Within(1, 5), "spread": _scale},
    "noise.Centred": {"scale": _scale},
    "noise.Columns": {"groups": lambda v: len(v) > 0},
    "noise.Constants": {"n": _count},
    "noise.ContinuousBernoulli": {"given_floor": _floor, "floor": _floor},
    "noise.Degrees": {
        "kind": _kind,
        "least": lambda v: 2 < v < 8,
        "given": lambda v: 2 < v < 1e30,
        "rho": _Within(-1e6, 1e30),
    },
    "noise.Dispersion": {"kind": _kind, "start": _logarithm},
    "noise.LowRankGaussian": {"rank": _count, "unit": _floor},
    "noise.Placed": {"scale": _scale},
    "noise.Quantile": {"levels": _rising, "floor": _floor, "deviation": _floor},
    "noise.Rescaled": {"scale": _scale},
    "noise.RowSize": {"start": _logarithm},
    "noise.Scale": {
        "kind": _kind,
        "given": _variance,
        "start": _scale,
        "floor": _floor,
        "initial": _variance,
        "limit": _Within(0.009, 14.0),
    },
    "noise.Shown": {"spread": _scale},
    "noise.ShownCounts": {"spread": _scale, "size": _floor},
    "noise.Window": {"size": _odd_window, "grid": lambda v: len(v) == 3 and _widths(v)},
    "noise.ZeroInflated": {"logit": _logarithm},
    "objectives.BetaELBO": {"beta": _weight},
    "objectives.IWAE": {"n_importance": _count},
    "objectives.SquaredError": {"kl_weight": _weight},
    "tables.Clock": {
        "unit": lambda v: v in ("D", "s", "ms", "us", "ns"),
        "step": _Within(1, 86_400_000_000_000),
    },
    "tables.Covariate": {"scale": lambda v: 0 < v < 1e300, "mean": lambda v: abs(v) < 1e300},
    "tables.Covariates": {"n_columns": _count, "columns": lambda v: len(v) > 0},
    "tables.Schema": {"container": lambda v: v in ("pandas", "polars")},
    "transforms.Log": {"scale": _scale, "least": _amount},
    "transforms.Log1p": {"scale": _scale},
    "transforms.Logit": {"alpha": lambda v: 0 < v < 0.5, "n_levels": _levels},
    "transforms.Standardize": {"scale": _scale},
    "transforms.Unit": {"n_levels": _levels},
}


def fault(name: str, instance: Any) -> str | None:
    """Return the rule that an object of a registered class breaks, or None."""
    rules = _RULES.get(name, {})
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        what = f"{field.name} of {type(instance).__name__}"
        if not conforms(value, field.type):
            return f"{what} is not of its type."
        if eqx.is_array_like(value) and not _is_number(value):
            return f"{what} is not finite, or of half precision."
        if value is not None and field.name in rules and not rules[field.name](value):
            rule = rules[field.name]
            broken = rule.describe(value) if isinstance(rule, _Within) else "is out of range."
            return f"{what} {broken}"
    return _whole_fault(instance)


def conforms(value: Any, kind: Any) -> bool:
    """Whether a value has the type that the annotation of a field declares."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind in (Any, None, types.NoneType):
        return (kind is Any and _is_leaf(value)) or value is None
    if origin in (typing.Union, types.UnionType):
        return any(conforms(value, each) for each in inner)
    if origin is typing.Literal:
        return value in inner
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if inner[1:] == (Ellipsis,):
            return all(conforms(each, inner[0]) for each in value)
        return len(value) == len(inner) and all(map(conforms, value, inner))
    if kind in (int, bool, str):
        return type(value) is kind
    if kind is float:
        return type(value) in (int, float)
    if origin is not None or not isinstance(kind, type):
        return callable(value)
    return isinstance(value, kind)


def _is_leaf(value: Any) -> bool:
    """Whether a value is allowed in a field without a declared type: numbers or our objects."""
    return value is None or _is_floating(value) or dataclasses.is_dataclass(value)


def _is_floating(value: Any) -> bool:
    if type(value) in (int, float):
        return True
    return isinstance(value, (np.ndarray, jax.Array)) and value.dtype.kind in "fb"


def _is_number(value: Any) -> bool:
    array = np.asarray(value)
    if array.dtype.kind not in "fc":
        return True
    return array.dtype in (np.float32, np.float64) and bool(np.isfinite(array).all())


def _whole_fault(instance: Any) -> str | None:
    """Return the rule that the fields of an object break together, or None."""
    match instance:
        case noise.Columns():
            return _columns_fault(instance)
        case transforms.Standardize(mean=mean, scale=scale, varies=varies) if mean is not None:
            far = np.abs(np.asarray(mean)) > _FARTHEST * np.asarray(scale)
            return "mean of Standardize is out of range." if (far & varies).any() else None
        case transforms.ByColumn(parts=parts, columns=columns) if columns is not None:
            placed = sorted(j for each in columns for j in each)
            fits = len(parts) == len(columns) and placed == list(range(len(placed)))
            return None if fits else "ByColumn must place each column once."
        case noise.Rescaled() if not _is_accepted(lambda: noise.Rescaled(instance.noise, 1.0)):
            return "Rescaled holds a noise that is not on the real line."
        case noise.Censored() if not _is_accepted(lambda: noise.Censored(instance.noise)):
            return "Censored holds a noise that has limits or gaps."
        case Limits(values=values, keys=keys, every=every):
            fits = len(values) == 1 if every else keys is None or len(keys) == len(values)
            return None if fits else "Limits must have a value for each key."
        case nn.MakeConvEncoder(settings=given) | nn.MakeConvDecoder(settings=given):
            given = (given.image_shape, given.channels, given.hidden, given.activation)
            return (
                None
                if _is_accepted(lambda: nn.MakeConvEncoder(*given))
                else "No convolutions fit it."
            )
    return None


def _columns_fault(columns: noise.Columns) -> str | None:
    n = len(columns.groups)
    if len(columns.keys) != len(columns.group_of) or any(not 0 <= g < n for g in columns.group_of):
        return "Columns must have a group for each key."
    if any(isinstance(group, noise.Columns) or group.limited for group in columns.groups):
        return "Columns hold Columns, or limits."
    if columns.table is not None:
        placed = sorted(j for group in columns.table.columns for j in group)
        if len(columns.table.columns) != n or placed != list(range(len(columns.keys))):
            return "Columns must place each column once."
    return None


def _is_accepted(make: Callable[[], Any]) -> bool:
    try:
        make()
    except WellposedError:
        return False
    return True
