"""Models as coders of rows."""

import dataclasses
import json
import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from wellposed import coding as _coding
from wellposed._errors import DamagedFileError, DataError, DataHint, SettingError
from wellposed.coding import BitsBackCodec, RowCodec
from wellposed.coding.build.beside import CovariateColumns
from wellposed.coding.container import ARRAY, Header, Modelled, Reader
from wellposed.coding.container.steps import BITS, DIVISORS, find_steps
from wellposed.coding.protocol import MISSING
from wellposed.coding.quantised import QuantisedCodec
from wellposed.models import VAEModel
from wellposed.tables import Schema

from .._fitted import Fitted
from .conditional import covariate_columns, covariate_names, covariates_last
from .containers import Cells

Codable: TypeAlias = Fitted | RowCodec
_PRINT = 16  # bytes of a fingerprint
_MOST_STEPS = 2**17  # in a standard deviation of a column
_LOOK_BYTES = 1 << 23  # of the rows by which steps are found
coding: Any = _coding


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What a model codes of some rows; nothing without a model.

    Parameters
    ----------
    coder, modelled, fingerprint : the integer model, what it codes, and its fingerprint
    whole : whether it codes an array's columns, all of them in order and at the step one
    quantised : the codec of rows that come back changed
    """

    coder: RowCodec | None = None
    modelled: Modelled | None = None
    fingerprint: bytes | None = None
    whole: bool = True
    quantised: QuantisedCodec | None = None

    @property
    def printed(self) -> str:
        """The fingerprint as text."""
        return "none" if self.fingerprint is None else self.fingerprint.hex()

    def description(self) -> dict[str, Any]:
        """Return what a file must say of it; nothing where its columns are those of an array."""
        if self.modelled is None or self.whole:
            return {}
        features = self.modelled
        return {
            "features": {
                "groups": features.groups.tolist(),
                "columns": features.columns.tolist(),
                "steps": features.codes.tolist(),
                "tables": {str(j): list(table) for j, table in features.tables.items()},
                **({"masks": features.masks} if features.masks else {}),
            }
        }


def coder_of(model: Any, modelled: Modelled) -> RowCodec:
    """Return the integer model of a fitted estimator; a coder is returned as it is.

    Parameters
    ----------
    model : fitted estimator, or coder
    modelled : its columns

    Raises
    ------
    SettingError
        For other objects, and models that rows cannot be coded with.
    """
    if isinstance(model, QuantisedCodec):
        raise SettingError(
            "Rows with loss are compressed with the model and a target; got a QuantisedCodec. "
            "Pass its integer model, and target_bits or target_rmse."
        )
    if isinstance(model, RowCodec):
        return model
    inner = getattr(model, "model_", None)
    if not isinstance(inner, VAEModel):
        raise SettingError(
            f"Rows are compressed with a fitted VAE or without a model; got a "
            f"{type(model).__name__}. Fit a VAE first, or pass None."
        )
    d = len(model.offset_)
    covariates = covariate_columns(model, modelled, d)
    if len(modelled.codes) != d + (0 if covariates is None else covariates.n):
        raise _other_features(d, covariates, len(modelled.codes))
    return coding.integer_model(
        inner,
        offset=-np.asarray(model.offset_),
        resolution=1 / divisors(modelled.codes[:d]),
        covariates=covariates,
    )


def _other_features(d: int, covariates: CovariateColumns | None, width: int) -> DataError:
    given = "" if covariates is None else f" and {covariates.n} covariates"
    return DataError(
        f"Rows must have the {d} features{given} of the model; these have {width} columns. Pass "
        "the rows as the model was fitted to them, or no model."
    )


def divisors(codes: np.ndarray) -> np.ndarray:
    """Return q of the steps 1/q, shape (d,), float64."""
    return np.array(DIVISORS, np.float64)[codes]


def plan_for(model: Any, X: Any, cells: Cells) -> Plan:
    """Decide which columns a model codes, and with which steps.

    Parameters
    ----------
    model : fitted estimator, coder, or None
    X, cells : the rows, and what they are taken apart into

    Raises
    ------
    DataError
        If the rows have other features than the model.
    SettingError
        If the model cannot be coded with.
    """
    if model is None:
        return Plan()
    if cells.container == ARRAY:
        modelled = _of_array(covariates_last(model, cells.parts[0].shape[1]))
    else:
        modelled = _of_frame(model, X, cells)
    modelled = _with_steps(model, modelled, cells)
    if modelled is None:
        return Plan()
    coder = coder_of(model, modelled)
    width = len(modelled.columns)
    if width != coder.n_features:
        raise DataError(
            f"Rows must have the {coder.n_features} features of the model; these have {width}. "
            "Pass the rows as the model was fitted to them, or no model."
        )
    modelled = dataclasses.replace(modelled, gaps=_allows_missing(coder))
    fingerprint = bytes.fromhex(coder.fingerprint())[:_PRINT]
    in_order = bool((modelled.columns == np.arange(width)).all())
    whole = cells.container == ARRAY and in_order and not modelled.codes.any()
    return Plan(coder, modelled, fingerprint, whole)


def plan_of_file(reader: Reader, model: Any) -> Plan:
    """Return what the model of a file codes.

    Raises
    ------
    DamagedFileError
        If the model inside or the description is damaged.
    SettingError
        If the model is another one than the file was written with.
    """
    header = reader.header
    if header.fingerprint is None:
        return Plan()
    description = reader.description()
    modelled = _described(description, header) if description else None
    if modelled is None:
        modelled = _of_array(np.arange(header.groups[0].width))
    if model is not None:
        try:
            coder = coder_of(model, modelled)
        except DataError as error:
            raise SettingError(
                f"The file was written with the model {header.fingerprint.hex()}, and decodes with "
                "that alone; the one given has other columns. Load the model that it was "
                "compressed with."
            ) from error
    elif header.model_bytes is not None:
        coder = coding.row_codec_from_bytes(reader.model())
    else:
        return Plan(fingerprint=header.fingerprint)
    fingerprint = bytes.fromhex(coder.fingerprint())[:_PRINT]
    if fingerprint != header.fingerprint:
        raise SettingError(
            f"The file was written with the model {header.fingerprint.hex()}, and decodes with "
            f"that alone; the one given is {fingerprint.hex()}. Load the model that it was "
            "compressed with."
        )
    if len(modelled.columns) != coder.n_features:
        raise DamagedFileError(
            f"The file codes {len(modelled.columns)} columns by a model of {coder.n_features}. "
            "Take it from a backup."
        )
    modelled = dataclasses.replace(modelled, gaps=_allows_missing(coder))
    quantised = QuantisedCodec(coder) if isinstance(coder, BitsBackCodec) else None
    return Plan(coder, modelled, fingerprint, quantised=quantised)


def _allows_missing(coder: RowCodec) -> bool:
    return bool(getattr(coder, "allows_missing", False))


def _of_array(columns: np.ndarray) -> Modelled:
    d = len(columns)
    return Modelled(np.zeros(d, np.int64), columns, np.zeros(d, np.uint8))


def _described(description: bytes, header: Header) -> Modelled | None:
    try:
        features = json.loads(description).get("features")
        if features is None:
            return None
        groups, columns, codes = (
            np.array(features[name], np.int64) for name in ("groups", "columns", "steps")
        )
        tables = {int(j): tuple(map(int, t)) for j, t in features["tables"].items()}
        masks = {int(j): (int(g), int(c)) for j, (g, c) in features.get("masks", {}).items()}
        widths = np.array([group.width for group in header.groups])
        if not (groups.shape == columns.shape == codes.shape and (columns < widths[groups]).all()):
            raise ValueError("its columns are not those of the file")
        if ((codes < 0) | (codes >= len(DIVISORS))).any():
            raise ValueError("a column has a step that does not exist")
        return Modelled(groups, columns, codes.astype(np.uint8), tables, masks=masks)
    # The description is arbitrary, and one that contradicts itself can raise anything.
    except Exception as error:
        raise DamagedFileError(
            f"The description in the file has no meaning: {error}. Take it from a backup."
        ) from error


def _with_steps(model: Any, modelled: Modelled, cells: Cells) -> Modelled | None:
    """Find the steps of the real columns that a model codes; None, with a hint, if one has none."""
    d = len(modelled.columns)
    noise = getattr(getattr(model, "model_", None), "noise", None)
    real = np.zeros(d, bool)
    if noise is not None:
        n_given = len(covariate_names(model))
        real[: d - n_given] = noise.continuous_columns(d - n_given)
        real[d - n_given :] = True
    codes = modelled.codes.copy()
    for g, part in enumerate(modelled.taken(cells.parts)):
        mine = np.flatnonzero(modelled.groups == g)
        if part.dtype.kind == "f" and real[mine].any() and len(part):
            rows = max(1, _LOOK_BYTES // max(1, part[0].nbytes))
            codes[mine] = np.where(real[mine], _coarse_steps(part[:rows]), 0)
    without = np.flatnonzero(codes == BITS)
    if without.size:
        warnings.warn(
            f"A model codes continuous columns at their step, such as 0.01; {len(without)} of {d} "
            f"columns have none above 2^-17 of their spread (the first is number {without[0]}), so "
            "the rows are compressed without the model. Round the columns to the digits that "
            "count, or pass no model.",
            DataHint,
            stacklevel=4,
        )
        return None
    return dataclasses.replace(modelled, codes=codes)


def _coarse_steps(part: np.ndarray) -> np.ndarray:
    """Find the steps of columns; ``BITS`` for none, and for one too fine for a model."""
    codes = find_steps(part)
    known = np.flatnonzero(codes != BITS)
    kept = np.where(np.isfinite(part[:, known]), part[:, known], np.nan).astype(np.float64)
    with np.errstate(all="ignore"):
        steps = np.nanstd(kept, axis=0) * divisors(codes[known])
    codes[known[steps > _MOST_STEPS]] = BITS
    return codes


def _of_frame(model: Any, X: Any, cells: Cells) -> Modelled:
    """Find the columns of a frame that a model codes, by their names."""
    schema: Schema | None = getattr(model, "schema_", None)
    labels = [str(label) for label in X.columns]
    given = covariate_names(model)
    names = list(schema.names) if schema is not None else _names(model, labels)
    names = [*(name for name in names if name not in given), *given]
    missing = [name for name in names if labels.count(name) != 1]
    if missing:
        raise DataError(
            f"The frame must have each of the {len(names)} columns of the model once; "
            f"{missing[:5]} are not. Pass the columns that the model was fitted to."
        )
    described = [cells.description["columns"][labels.index(name)] for name in names]
    places = {part.dtype.str: g for g, part in enumerate(cells.parts)}
    groups = np.array([places[each["at"][0]] for each in described])
    columns = np.array([each["at"][1] for each in described])
    codes = np.zeros(len(names), np.uint8)
    tables: dict[int, tuple[int, ...]] = {}
    numbers = _numbers(model, X, labels, names[: len(names) - len(given)])
    if numbers is not None:
        mixed = schema is not None and not schema.one_noise
        gaps = bool(model.model_.noise.allows_missing)
        for j, each in enumerate(described):
            if "levels" in each and (mixed or j >= len(names) - len(given)):
                own = cells.parts[groups[j]][:, columns[j]]
                tables[j] = _table(own, numbers[:, j], gaps=gaps)
    masks = {
        j: (places[each["missing"][0]], each["missing"][1])
        for j, each in enumerate(described)
        if "missing" in each
    }
    return Modelled(groups, columns, codes, tables, masks=masks)


def _numbers(model: Any, X: Any, labels: list[str], names: list[str]) -> np.ndarray | None:
    """Return the numbers of features and covariates, (n, d + q); None where all are numbers."""
    schema: Schema | None = getattr(model, "schema_", None)
    mixed = schema is not None and not schema.one_noise
    given = len(covariate_names(model)) > 0
    if not (mixed or given):
        return None
    features = np.full((len(X), len(names)), np.nan)
    if not len(X):
        return np.zeros((0, len(names) + len(covariate_names(model))))
    if schema is not None and mixed:
        own = X[[X.columns[labels.index(name)] for name in names]] if given else X
        features = schema.encode(own, unseen_as_gaps=True)
    return np.concatenate([features, model.open(X).given], axis=1) if given else features


def _names(model: Any, labels: Sequence[str]) -> list[str]:
    names = getattr(model, "feature_names_in_", None)
    return list(labels) if names is None else [str(name) for name in names]


def _table(codes: np.ndarray, symbols: np.ndarray, *, gaps: bool) -> tuple[int, ...]:
    """Return the model's symbol of each code of a column.

    Of codes that it does not know it is −1; of a model with gaps the most frequent of them is a
    missing entry, where no code is negative.
    """
    table = np.full(int(codes.max(initial=-1)) + 1, -1, np.int64)
    known = (codes >= 0) & np.isfinite(symbols)
    table[codes[known]] = symbols[known].astype(np.int64)
    others = codes[codes >= 0].astype(np.int64)
    others = others[table[others] < 0]
    if gaps and others.size and (codes >= 0).all():
        table[np.bincount(others).argmax()] = MISSING
    return tuple(table.tolist())
