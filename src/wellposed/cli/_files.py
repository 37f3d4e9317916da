"""Files that commands read and write: data, models, tables, pictures."""

import csv
import dataclasses
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from wellposed._errors import DataError, OutputError, SettingError, unknown_name

from ._terminal import say

if TYPE_CHECKING:
    from wellposed.datasets import Source

TABLES = (".csv", ".npy")
_DPI = 150


def read_rows(source: str, header: bool | None = None, drop: list[str] | None = None) -> "Source":
    """Read data as ``wellposed.datasets.read`` does; a number in ``drop`` may be a position.

    If no file has that path, ``digits``, ``mnist`` and ``fashion-mnist`` name a data set, and
    its training part is read.
    """
    from wellposed import datasets

    if (source == "digits" or source in datasets.DATASETS) and not Path(source).exists():
        if header is not None or drop:
            raise SettingError(
                f"--header and --drop are for text and tables; {source} is a data set of images. "
                "Leave them out."
            )
        return datasets.load_digits() if source == "digits" else datasets.load(source).train
    return datasets.read(source, header=header, drop=drop or ())


def read_columns(source: str, header: bool | None = None, drop: list[str] | None = None) -> Any:
    """Read data as :func:`read_rows`, or a text table with columns of text as a frame."""
    from wellposed.estimators.data.mixed import read_mixed

    if not Path(source).exists():
        return read_rows(source, header, drop)
    return read_mixed(source, header=header, drop=drop or ())


def as_frame(rows: Any) -> Any:
    """Return rows as a frame, whose columns may be of several kinds."""
    from wellposed.datasets import Source
    from wellposed.tables._frames import frame_of_text

    if not isinstance(rows, Source):
        return rows
    names = rows.feature_names or tuple(map(str, range(rows.values.shape[1])))
    missing = DataError("Columns of a table have a kind each in a frame. Fit all by --noise.")
    return frame_of_text(names, list(rows.values.T), missing)


def check_blocks(
    header: bool | None, drop: list[str] | None, column: list[str] | None = None
) -> None:
    """Refuse options of text tables where data are read in blocks.

    Raises
    ------
    SettingError
        Naming the option.
    """
    options = {"--header": header is not None, "--drop": bool(drop), "--column": bool(column)}
    for option, given in options.items():
        if given:
            raise SettingError(
                f"{option} is for tables that are read whole; got it with --blocks. Leave it out, "
                "or write the columns that you want to a Parquet file."
            )


def read_rows_for(
    model: Any, source: str, header: bool | None = None, drop: list[str] | None = None
) -> Any:
    """Read data, its columns in the order of those that the model was fitted to.

    A frame, for a model of columns of several kinds.

    Columns without names are taken in the model's order, with a line on stderr.

    Raises
    ------
    DataError
        If columns of the model are missing, or others are present.
    """
    if has_several_kinds(model):
        return as_frame(read_columns(source, header, drop))
    if has_covariates(model):
        return read_columns(source, header, drop)
    return _align(read_rows(source, header, drop), getattr(model, "feature_names_in_", None))


def has_several_kinds(model: Any) -> bool:
    """Whether a model takes frames whose columns are of several kinds."""
    schema = getattr(model, "schema_", None)
    return schema is not None and not schema.one_noise


def has_covariates(model: Any) -> bool:
    """Whether a model is given some columns of its rows."""
    return getattr(model, "covariates_", None) is not None


def values_at(model: Any, pairs: Sequence[str] | None) -> dict[Any, Any] | None:
    """Return the covariates of a model from texts ``name=value``; None without.

    Raises
    ------
    SettingError
        For a text without "=", a name that is no covariate, and text for a number.
    """
    if not pairs:
        return None
    columns = model.covariates_.columns if has_covariates(model) else ()
    known = {str(each.name): each for each in columns}
    values: dict[Any, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or name not in known:
            listed = f"one of {_list_names(tuple(known))}" if known else "and this model has none"
            raise SettingError(
                f"--at must be NAME=VALUE of a covariate of the model, {listed}; got {pair[:60]!r}."
            )
        column = known[name].column
        values[known[name].name] = text if column.sort == "level" else _number(name, text)
    return values


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingError(
            f"The covariate {name!r} is a number; got {text[:60]!r}. Write it as in {name}=1.5."
        ) from None


def _align(source: "Source", model_names: np.ndarray | None) -> "Source":
    if model_names is None:
        # Without names, only the number of columns can be checked, and the model checks it.
        return dataclasses.replace(source, feature_names=None)
    names, given = tuple(map(str, model_names)), source.feature_names
    if given is None:
        if source.values.shape[1] != len(names):
            return source
        say(
            "The data have no names of columns: they are taken in the model's order, "
            f"{_list_names(names)}.",
            err=True,
        )
        return dataclasses.replace(source, feature_names=names)
    if given == names:
        return source
    _check_same_names(given, names)
    columns = [given.index(name) for name in names]
    say("The columns of the data are put in the model's order, by their names.", err=True)
    return dataclasses.replace(source, values=source.values[:, columns], feature_names=names)


def _check_same_names(given: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Raise ``DataError`` unless the two have the same names, in any order."""
    missing = [name for name in names if name not in given]
    extra = [name for name in given if name not in names]
    twice = sorted({name for name in given if given.count(name) > 1})
    problems = []
    if missing:
        problems.append(f"{_list_names(missing)} missing")
    if extra:
        problems.append(f"{_list_names(extra)} unknown to the model")
    if twice:
        problems.append(f"{_list_names(twice)} there more than once")
    if not problems:
        return
    only_extra = bool(extra) and not missing
    remedy = f"--drop {extra[0]!r} leaves a column out." if only_extra else "Correct the header."
    raise DataError(
        f"The data must have the columns that the model was fitted to, {_list_names(names)}; got "
        f"{', and '.join(problems)}. {remedy}"
    )


def _list_names(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def feature_columns(model: Any, d: int) -> list[str]:
    """Return the names of a model's features, for the header of a table of d columns."""
    names = getattr(model, "feature_names_in_", None)
    return [f"x{i}" for i in range(d)] if names is None else [str(name) for name in names]


def open_model(path: Path) -> Any:
    """Load a fitted estimator."""
    from wellposed.estimators import GaussianImputer, OutlierVAE, VAEImputer, load

    model = load(path)
    if isinstance(model, (GaussianImputer, VAEImputer)):
        raise SettingError(
            f"This command takes a model of rows; {path} holds a {type(model).__name__}. Fill gaps "
            "by `wellposed impute --model`, or in Python: wp.load(path).transform(rows)."
        )
    if isinstance(model, OutlierVAE):
        raise SettingError(
            f"This command takes a model of rows; {path} holds an OutlierVAE. Find outliers in "
            "Python: wp.load(path).outliers(rows, alpha=0.01)."
        )
    return model


def check_output(
    path: Path | None,
    *others: str | Path | None,
    force: bool,
    kinds: Sequence[str] | None = None,
) -> None:
    """Check, before any work, that ``path`` has a suffix that we write, and can be written.

    ``others`` are the inputs and the other outputs of the command.

    Raises
    ------
    SettingError
        If the suffix is not one of ``kinds``, or ``path`` is one of ``others``.
    OutputError
        If the file exists without ``force``, or cannot be written.
    """
    if path is None:
        return
    if kinds is not None and path.suffix.lower() not in kinds:
        raise unknown_name("An output file's kind", path.suffix, kinds)
    from wellposed import serialise

    serialise.check_apart(path, *others)
    serialise.check_writable(path, overwrite=force)


def check_outputs(
    paths: Sequence[Path], *others: str | Path | None, force: bool, kinds: Sequence[str]
) -> None:
    """Check several outputs of one command, and that no two are the same file."""
    for i, path in enumerate(paths):
        check_output(path, *others, *paths[:i], force=force, kinds=kinds)


def save_model(vae: Any, path: Path, *, force: bool) -> None:
    """Write a model; if ``path`` cannot be written, write it into a temporary folder.

    Raises
    ------
    OutputError
        If ``path`` cannot be written. The message names the file that holds the model.
    """
    try:
        vae.save(path, overwrite=force)
    except OutputError as error:
        elsewhere = Path(tempfile.mkdtemp(prefix="wellposed-")) / "model.wp"
        try:
            vae.save(elsewhere)
        except OutputError:
            elsewhere.parent.rmdir()
            raise error from None
        raise OutputError(f"{error} The model is in {elsewhere}; move it from there.") from error


def write_rows(path: Path | None, model: Any, rows: Any) -> None:
    """Write what a model returned: an array of shape (n, d), or a frame.

    Raises
    ------
    SettingError
        For a frame with columns of several kinds, and .npy.
    """
    if has_covariates(model):
        _write_conditional(path, model, rows)
        return
    if not has_several_kinds(model):
        values = np.asarray(rows)
        write_table(path, values, feature_columns(model, values.shape[1]))
        return
    _write_frame(path, rows)


def _write_conditional(path: Path | None, model: Any, rows: Any) -> None:
    """Write rows with the covariates in their places: a frame, or an array of shape (n, d + q)."""
    if hasattr(rows, "columns"):
        _write_frame(path, rows)
        return
    names = feature_columns(model, model.n_features_in_)
    for each in sorted(model.covariates_.columns, key=lambda each: each.position):
        names.insert(each.position, str(each.name))
    write_table(path, np.asarray(rows), names)


def refuse_array_file(path: Path | None) -> None:
    """Raise ``SettingError`` for .npy, where columns are of several kinds."""
    if path is not None and path.suffix.lower() == ".npy":
        raise SettingError(
            f"An .npy file holds numbers alone; the model has columns of several kinds, and got "
            f"{path}. Write a .csv file."
        )


def _write_frame(path: Path | None, rows: Any) -> None:
    refuse_array_file(path)
    write_table(path, cells_of(rows), [str(label) for label in rows.columns])


def cells_of(rows: Any) -> np.ndarray:
    """Return the cells of a frame or an array for a text file, shape (n, d); a gap is empty."""
    if not hasattr(rows, "columns"):
        whole = np.asarray(rows, dtype=object)
        return np.vectorize(_shortest, otypes=[object])(whole) if whole.size else whole
    columns = [rows[label].to_list() for label in rows.columns]
    cells = [["" if _is_gap(cell) else cell for cell in row] for row in zip(*columns, strict=True)]
    return np.array(cells, dtype=object).reshape(len(cells), len(columns))


def _shortest(number: float) -> float | int:
    """Return a whole number without its decimal point, as files have it."""
    return int(number) if number == round(number) else number


def write_table(path: Path | None, values: np.ndarray, columns: Sequence[str]) -> None:
    """Write an array of shape (n, d) or (n,) to .npy or .csv, or as CSV to stdout."""
    from wellposed.serialise import replace_file

    if path is not None and path.suffix.lower() == ".npy":
        with replace_file(path) as file:
            np.save(file, values)
        return
    if len(columns) != values.reshape(len(values), -1).shape[1]:
        raise SettingError(f"A table needs one name per column; got {len(columns)} names.")
    if path is None:
        _write_csv(sys.stdout, values, columns)
        return
    with replace_file(path, text=True) as file:
        _write_csv(file, values, columns)


def _write_csv(file: IO[str], values: np.ndarray, columns: Sequence[str]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)  # quotes names with commas
    if values.dtype == object:
        writer.writerows(values)
        return
    for row in values.reshape(len(values), -1):
        # str of a float32 or float64 is its shortest text that reads back as the same number.
        file.write(",".join(map(str, row)) + "\n")


def _is_gap(cell: object) -> bool:
    return cell is None or cell != cell or type(cell).__name__ in ("NAType", "NaTType")


def is_picture(path: Path | None) -> bool:
    """Return whether a path has the suffix of a picture."""
    return path is not None and path.suffix.lower() == ".png"


def check_picture() -> None:
    """Raise ``MissingPackageError`` if no picture can be drawn."""
    from wellposed.plotting.canvas import check_installed

    check_installed("A picture")


def check_images(vae: Any, path: Path | None) -> None:
    """Raise ``SettingError`` if the model's data are not images, or nothing can draw them."""
    check_picture()
    if getattr(vae, "image_shape_", None) is None:
        raise SettingError(
            f"Only a model of images draws pictures; {path} is a picture, and the model has "
            f"{vae.n_features_in_} features without image_shape. Fit with --image-shape, or "
            "write .npy or .csv."
        )


def pixels_of(model: Any, rows: np.ndarray) -> np.ndarray:
    """Return rows of images without the covariates that a model puts beside them."""
    return np.delete(rows, model.covariates_.positions, axis=1) if has_covariates(model) else rows


def write_images(path: Path, values: np.ndarray, image_shape: tuple[int, ...]) -> None:
    """Write rows as a grid of images."""
    from wellposed import plotting

    # Ancestral draws have long tails. Quantiles bound the grey scale, so that a few extreme
    # pixels do not set it.
    low, high = np.quantile(values, (0.005, 0.995))
    axes = plotting.images(values, image_shape, limits=(float(low), float(high)))
    save_figure(path, axes.get_figure(), bbox_inches="tight")


def save_figure(path: Path, figure: Any, *, dpi: int = _DPI, **options: Any) -> None:
    """Write a figure as PNG, whole or not at all."""
    from wellposed.serialise import replace_file

    with replace_file(path) as file:
        figure.savefig(file, format="png", dpi=dpi, **options)
