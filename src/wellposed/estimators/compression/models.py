"""Models as coders of rows."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from wellposed import coding as _coding
from wellposed._errors import DamagedFileError, DataError, SettingError
from wellposed.coding.container import ARRAY, Coder, Header, Modelled, Reader
from wellposed.models import VAEModel
from wellposed.tables import Schema

from .._fitted import Fitted
from .containers import Cells

Codable: TypeAlias = Fitted | Coder
_PRINT = 16  # bytes of a fingerprint
coding: Any = _coding


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What a model codes of some rows; nothing without a model."""

    coder: Coder | None = None
    modelled: Modelled | None = None
    fingerprint: bytes | None = None
    whole: bool = True

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
            }
        }


def coder_of(model: Any) -> Coder:
    """Return the integer model of a fitted estimator; a coder is returned as it is.

    Raises
    ------
    SettingError
        For other objects, and models that rows cannot be coded with.
    """
    if isinstance(model, Coder):
        return model
    inner = getattr(model, "model_", None)
    if not isinstance(inner, VAEModel):
        raise SettingError(
            f"Rows are compressed with a fitted VAE or without a model; got a "
            f"{type(model).__name__}. Fit it first, or pass None."
        )
    if inner.n_covariates:
        raise SettingError(
            "A model that is given covariates cannot compress: the reader would need them. Fit a "
            "model of all columns, or pass None."
        )
    return coding.integer_model(inner)


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
    coder = coder_of(model)
    fingerprint = bytes.fromhex(coder.fingerprint())[:_PRINT]
    if cells.container == ARRAY:
        width = cells.parts[0].shape[1]
        if width != coder.n_features:
            raise DataError(
                f"Rows must have the {coder.n_features} features of the model; these have {width}. "
                "Pass the rows as the model was fitted to them, or no model."
            )
        return Plan(coder, _all_columns(width), fingerprint)
    return Plan(coder, _of_frame(model, X, cells, coder), fingerprint, whole=False)


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
    if model is not None:
        coder = coder_of(model)
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
    description = reader.description()
    modelled = _described(description, header) if description else None
    if modelled is None:
        modelled = _all_columns(header.groups[0].width)
    if len(modelled.columns) != coder.n_features:
        raise DamagedFileError(
            f"The file codes {len(modelled.columns)} columns by a model of {coder.n_features}. "
            "Take it from a backup."
        )
    return Plan(coder, modelled, fingerprint)


def _all_columns(width: int) -> Modelled:
    return Modelled(np.zeros(width, np.int64), np.arange(width), np.zeros(width, np.uint8))


def _described(description: bytes, header: Header) -> Modelled | None:
    try:
        features = json.loads(description).get("features")
        if features is None:
            return None
        groups, columns, codes = (
            np.array(features[name], np.int64) for name in ("groups", "columns", "steps")
        )
        tables = {int(j): tuple(map(int, t)) for j, t in features["tables"].items()}
        widths = np.array([group.width for group in header.groups])
        if not (groups.shape == columns.shape == codes.shape and (columns < widths[groups]).all()):
            raise ValueError("its columns are not those of the file")
        return Modelled(groups, columns, codes.astype(np.uint8), tables)
    # The description is arbitrary, and one that contradicts itself can raise anything.
    except Exception as error:
        raise DamagedFileError(
            f"The description in the file has no meaning: {error}. Take it from a backup."
        ) from error


def _of_frame(model: Any, X: Any, cells: Cells, coder: Coder) -> Modelled:
    """Find the columns of a frame that a model codes, by their names."""
    schema: Schema | None = getattr(model, "schema_", None)
    labels = [str(label) for label in X.columns]
    names = list(schema.names) if schema is not None else _names(model, labels)
    missing = [name for name in names if labels.count(name) != 1]
    if missing or len(names) != coder.n_features:
        raise DataError(
            f"The frame must have each of the {coder.n_features} columns of the model once; "
            f"{missing[:5] or names[:5]} are not. Pass the columns that the model was fitted to."
        )
    described = [cells.description["columns"][labels.index(name)] for name in names]
    places = {part.dtype.str: g for g, part in enumerate(cells.parts)}
    groups = np.array([places[each["at"][0]] for each in described])
    columns = np.array([each["at"][1] for each in described])
    codes = np.zeros(len(names), np.uint8)
    tables: dict[int, tuple[int, ...]] = {}
    if schema is not None and not schema.one_noise:
        encoded = schema.encode(X, unseen_as_gaps=True)
        for j, each in enumerate(described):
            if "levels" in each:
                tables[j] = _table(cells.parts[groups[j]][:, columns[j]], encoded[:, j])
    return Modelled(groups, columns, codes, tables)


def _names(model: Any, labels: Sequence[str]) -> list[str]:
    names = getattr(model, "feature_names_in_", None)
    return list(labels) if names is None else [str(name) for name in names]


def _table(codes: np.ndarray, symbols: np.ndarray) -> tuple[int, ...]:
    """Return the model's symbol of each code of a column; −1 of a code that it does not know."""
    table = np.full(int(codes.max(initial=-1)) + 1, -1, np.int64)
    known = (codes >= 0) & np.isfinite(symbols)
    table[codes[known]] = symbols[known].astype(np.int64)
    return tuple(table.tolist())
