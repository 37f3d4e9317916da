"""Files that are compressed, and those that come back: arrays, tables and folders of images."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wellposed._errors import DataError, SettingError, unknown_name

from ._files import read_columns, read_rows

if TYPE_CHECKING:
    from wellposed.estimators.compression.containers import Cells

ARRAYS, TABLES, FOLDER = (".npy", ".npz"), (".csv", ".parquet"), ""
KINDS = (*ARRAYS, *TABLES, FOLDER)


def read_to_compress(source: str, header: bool | None, drop: list[str] | None) -> Any:
    """Read an array in its own type, or a table as a frame; ``.npy`` stays on the disk."""
    kind = Path(source).suffix.lower()
    if kind == ".npy" and Path(source).exists():
        return _mapped(source)
    if kind == ".parquet" and not drop:
        frame = _parquet(source)
        if frame is not None:
            return frame
    rows: Any = read_columns(source, header, drop)
    if hasattr(rows, "columns"):
        return rows
    if rows.image_shape is not None:
        return rows.images
    if rows.feature_names is None:
        return rows.values
    return _frame(rows) if rows.lines is not None else _with_names(rows)


def write_rows(path: Path, rows: Any, names: Sequence[str] | None) -> None:
    """Write rows into a file of the kind that its suffix names, or into a folder of images.

    Raises
    ------
    SettingError
        If the kind does not hold such rows.
    """
    kind = path.suffix.lower()
    is_frame = hasattr(rows, "columns")
    if is_frame != (kind in TABLES) and not (kind == ".csv" and rows.ndim == 2):
        what = "a frame" if is_frame else f"an array of shape {rows.shape}"
        raise SettingError(
            f"The file holds {what}, which {path} cannot. Write a file of "
            f"{' or '.join(TABLES if is_frame else (*ARRAYS, 'a folder for images'))}."
        )
    if kind == FOLDER:
        _write_images(path, rows)
    elif is_frame:
        _write_frame(path, rows)
    elif kind == ".npz":
        _write_npz(path, rows, names)
    elif kind == ".npy":
        write_npy(path, rows.dtype, rows.shape, iter([rows]))
    else:
        _write_text(path, rows, names)


def write_npy(path: Path, dtype: np.dtype, shape: tuple[int, ...], parts: Iterator[np.ndarray]):
    """Write an array piece by piece, in the memory of one."""
    from wellposed.serialise import replace_file

    with replace_file(path) as file:
        described = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, described)
        for part in parts:
            file.write(part.astype(dtype, copy=False).tobytes())


def _mapped(source: str) -> np.ndarray:
    try:
        return np.asarray(np.load(source, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError):
        return read_rows(source).values  # raises an error that says what is wrong


def _parquet(source: str) -> Any:
    """Read a table with the types of its columns, where a package for frames is installed."""
    try:
        import pandas

        return pandas.read_parquet(source)
    except ImportError:
        pass
    try:
        import polars

        return polars.read_parquet(source)
    except ImportError:
        return None


def _frame(rows: Any) -> Any:
    """Return a table of text as a frame, whole numbers as integers."""
    from wellposed.tables._frames import frame_of_text

    if len(set(rows.feature_names)) < len(rows.feature_names):
        return _with_names(rows)
    try:
        return frame_of_text(rows.feature_names, list(rows.values.T), DataError(""))
    except DataError:  # neither pandas nor polars is installed
        return _with_names(rows)


def _with_names(rows: Any) -> "Cells":
    """Return an array whose file also holds the names of its columns."""
    import dataclasses

    from wellposed.estimators.compression.containers import cells_of

    names = {"names": list(map(str, rows.feature_names))}
    return dataclasses.replace(cells_of(rows.values), description=names)


def _write_frame(path: Path, frame: Any) -> None:
    from wellposed.serialise import replace_file

    with replace_file(path) as file:
        if path.suffix.lower() == ".parquet":
            (frame.write_parquet if hasattr(frame, "write_parquet") else frame.to_parquet)(file)
        elif hasattr(frame, "write_csv"):
            frame.write_csv(file)
        else:
            unnamed = type(frame.index).__name__ == "RangeIndex"
            text = frame.to_csv(index=not unnamed, lineterminator="\n")
            file.write(text.encode())


def _write_text(path: Path, rows: np.ndarray, names: Sequence[str] | None) -> None:
    """Write numbers as text, under names if there are some, whole columns without points."""
    from wellposed.serialise import replace_file

    with np.errstate(invalid="ignore"):
        whole = ((rows == np.rint(rows)) & (np.abs(rows) <= 2**53)).all(axis=0)
    columns = [
        column.astype(np.int64) if is_whole else column
        for column, is_whole in zip(rows.T, whole, strict=True)
    ]
    with replace_file(path, text=True) as file:
        writer = csv.writer(file, lineterminator="\n")
        if names is not None:
            writer.writerow(names)
        for cells in zip(*columns, strict=True):
            writer.writerow(["" if cell != cell else str(cell) for cell in cells])


def _write_npz(path: Path, rows: np.ndarray, names: Sequence[str] | None) -> None:
    from wellposed.serialise import replace_file

    arrays: dict[str, Any] = {"X": rows}
    if names is not None:
        arrays["feature_names"] = np.array(names)
    with replace_file(path) as file:
        np.savez(file, **arrays)


def _write_images(folder: Path, images: np.ndarray) -> None:
    try:
        from PIL import Image
    except ImportError:
        raise SettingError(
            "Images are written by Pillow, which is not installed. Run `pip install "
            "'wellposed[data]'`, or write an .npy file."
        ) from None
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise SettingError(
            f"A folder holds images of 8-bit pixels; the rows are {images.dtype} of shape "
            f"{images.shape[1:]}. Write an .npy file."
        )
    folder.mkdir(parents=True, exist_ok=True)
    digits = len(str(max(len(images) - 1, 0)))
    for i, image in enumerate(images):
        Image.fromarray(image.squeeze()).save(folder / f"{i:0{digits}}.png")


def check_kind(path: Path) -> None:
    """Raise ``SettingError`` for a suffix that no output has."""
    if path.suffix.lower() not in KINDS:
        raise unknown_name("An output file's kind", path.suffix, [*ARRAYS, *TABLES])
