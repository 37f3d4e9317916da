"""Frames of pandas as columns of numbers and a description, and back."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed._errors import DataError

from .columns import Columns
from .labels import codes_of, narrow, packed, unpacked

Find = Callable[[list[Any]], np.ndarray]


def describe(frame: Any, columns: Columns, pandas: Any) -> dict[str, Any]:
    """Collect the columns of a frame and of its index, and return what they are.

    Raises
    ------
    DataError
        For columns of types that have no place in a file.
    """
    described = [
        _column(frame.iloc[:, j], columns, f"Column {label!r}", pandas)
        for j, label in enumerate(frame.columns)
    ]
    return {
        "columns": described,
        "labels": _labels(frame.columns, pandas),
        "index": _index(frame.index, columns, pandas),
    }


def rebuild(description: dict[str, Any], find: Find, rows: np.ndarray, pandas: Any) -> Any:
    """Return the frame that :func:`describe` was given.

    Parameters
    ----------
    description : what it returned
    find : the column of numbers of a place
    rows : positions among those of the frame, for an index that is a range
    pandas : the package
    """
    cells = [_rebuild_column(each, find, pandas) for each in description["columns"]]
    index = _rebuild_index(description["index"], find, rows, pandas)
    frame = pandas.DataFrame(dict(enumerate(cells)), index=pandas.RangeIndex(len(rows)))
    frame.index = index
    frame.columns = _rebuild_labels(description["labels"], pandas)
    return frame


def _column(series: Any, columns: Columns, where: str, pandas: Any) -> dict[str, Any]:
    kind: Any = series.dtype
    values = series.array
    if isinstance(kind, np.dtype) and kind.kind in "biuf" and kind.itemsize <= 8:
        return {"kind": "number", "at": columns.add(series.to_numpy())}
    if _is_time(kind, pandas):
        zone = None if isinstance(kind, np.dtype) else str(series.dt.tz)
        counts = np.asarray(values.asi8)
        return {"kind": "time", "type": f"{kind.kind}8[{values.unit}]", "zone": zone,
                "at": columns.add(counts)}  # fmt: skip
    if isinstance(kind, pandas.CategoricalDtype):
        codes = narrow(series.cat.codes.to_numpy(np.int64), len(series.cat.categories))
        levels = _labels(series.cat.categories, pandas)
        return {"kind": "category", "levels": levels, "ordered": bool(series.cat.ordered),
                "at": columns.add(codes)}  # fmt: skip
    if isinstance(kind, pandas.StringDtype):
        return _text(series, columns, where, pandas)
    inner = getattr(kind, "numpy_dtype", None)
    if hasattr(values, "_mask") and inner is not None and inner.kind in "biuf":
        missing = series.isna().to_numpy(bool)
        whole = series.fillna(False if inner.kind == "b" else 0).to_numpy(inner)
        return {"kind": "masked", "type": str(kind), "at": columns.add(whole),
                "missing": columns.add(missing)}  # fmt: skip
    if isinstance(kind, np.dtype) and kind.kind == "O":
        codes, levels = codes_of(series.tolist(), where)
        return {"kind": "object", "levels": levels, "at": columns.add(codes)}
    raise DataError(
        f"{where} must have numbers, truth values, text, categories or times; got {kind}. Convert "
        "it with astype(str), or leave it out."
    )


def _is_time(kind: Any, pandas: Any) -> bool:
    return isinstance(kind, (np.dtype, pandas.DatetimeTZDtype)) and kind.kind in "mM"


def _text(series: Any, columns: Columns, where: str, pandas: Any) -> dict[str, Any]:
    missing = series.isna().to_numpy(bool)
    codes, levels = codes_of(series[~missing].tolist(), where)
    all_codes = np.full(len(series), -1, codes.dtype)
    all_codes[~missing] = codes
    kind = series.dtype
    mark = "NA" if kind.na_value is pandas.NA else "nan"
    return {"kind": "text", "levels": levels, "storage": kind.storage, "mark": mark,
            "at": columns.add(all_codes)}  # fmt: skip


def _rebuild_column(each: dict[str, Any], find: Find, pandas: Any) -> Any:
    kind, values = each["kind"], find(each["at"])
    if kind == "number":
        return values
    if kind == "time":
        times = values.view(each["type"])
        if each["zone"] is None:
            return times
        return pandas.Series(times).dt.tz_localize("UTC").dt.tz_convert(each["zone"]).array
    if kind == "category":
        levels = _rebuild_labels(each["levels"], pandas)
        return pandas.Categorical.from_codes(values, levels, ordered=each["ordered"])
    if kind == "masked":
        missing = find(each["missing"])
        array = pandas.array(values, dtype=each["type"])
        array[missing] = pandas.NA
        return array
    levels = np.array([*map(unpacked, each["levels"]), None], object)
    if kind == "object":
        return pandas.Series(levels[values], dtype=object)  # an array would become text
    mark = pandas.NA if each["mark"] == "NA" else np.nan
    text = pandas.StringDtype(each["storage"], na_value=mark)
    return pandas.array(levels[values], dtype=text)


def _labels(index: Any, pandas: Any) -> dict[str, Any]:
    """Describe the labels of columns, or the levels of a category."""
    name = packed(index.name, "The name of the columns") if index.nlevels == 1 else None
    if isinstance(index, pandas.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "name": name}
    if index.nlevels > 1:
        raise DataError(
            f"Each column must have one label; the frame has {index.nlevels} levels of them. Join "
            "them: frame.columns = ['_'.join(map(str, c)) for c in frame.columns]."
        )
    if index.dtype.kind in "mM" or isinstance(index.dtype, pandas.CategoricalDtype):
        raise DataError(
            f"Labels of columns and levels must be text or numbers; got {index.dtype}. Convert "
            "them with astype(str)."
        )
    values = [packed(label, "The label of a column, or a level,") for label in index.tolist()]
    mark = getattr(index.dtype, "na_value", None)
    text = isinstance(index.dtype, pandas.StringDtype)
    storage = [index.dtype.storage, "NA" if mark is pandas.NA else "nan"] if text else None
    return {"values": values, "type": str(index.dtype), "text": storage, "name": name}


def _rebuild_labels(labels: dict[str, Any], pandas: Any) -> Any:
    name = unpacked(labels["name"])
    if "range" in labels:
        return pandas.RangeIndex(*labels["range"], name=name)
    kind: Any = labels["type"]
    if labels["text"] is not None:
        storage, mark = labels["text"]
        kind = pandas.StringDtype(storage, na_value=pandas.NA if mark == "NA" else np.nan)
    values = [unpacked(value) for value in labels["values"]]
    return pandas.Index(values, dtype=kind, name=name)


def _index(index: Any, columns: Columns, pandas: Any) -> dict[str, Any]:
    names = [packed(name, "The name of an index") for name in index.names]
    if isinstance(index, pandas.RangeIndex):
        return {"range": [index.start, index.step], "names": names}
    levels = [
        _column(pandas.Series(index.get_level_values(i)), columns, "The index", pandas)
        for i in range(index.nlevels)
    ]
    frequency = getattr(index, "freqstr", None)
    return {"levels": levels, "names": names, "frequency": frequency}


def _rebuild_index(index: dict[str, Any], find: Find, rows: np.ndarray, pandas: Any) -> Any:
    names = [unpacked(name) for name in index["names"]]
    if "range" in index:
        start, step = index["range"]
        numbers = start + step * rows
        whole = not len(rows) or bool((np.diff(rows) == 1).all())
        if whole:
            first = start + step * int(rows[0]) if len(rows) else start
            return pandas.RangeIndex(first, first + step * len(rows), step, name=names[0])
        return pandas.Index(numbers, name=names[0])
    levels = [_rebuild_column(each, find, pandas) for each in index["levels"]]
    if len(levels) > 1:
        return pandas.MultiIndex.from_arrays(levels, names=names)
    only = pandas.Index(pandas.Series(levels[0]), name=names[0])
    if index["frequency"] is not None and len(rows):
        only.freq = index["frequency"]
    return only
