"""Options of the readers, and the readers to which each applies."""

from dataclasses import dataclass
from pathlib import Path

from wellposed._errors import SettingError

from .cells import Decimal

Pixels = int | tuple[int, int]

_FOR = {
    "header": (("text",), "tables of text"),
    "decimal": (("text",), "tables of text"),
    "drop": (("text", ".parquet"), "tables with named columns"),
    "size": (("folder",), "folders of images"),
    "crop": (("folder",), "folders of images"),
}


@dataclass(frozen=True)
class Options:
    """The options of ``read``; None, or no column to drop, is the default of each."""

    header: bool | None = None
    drop: tuple[str | int, ...] = ()
    decimal: Decimal | None = None
    size: Pixels | None = None
    crop: Pixels | None = None

    def check(self, kind: str, path: Path) -> None:
        """Refuse options that do not apply to a kind of file, and values out of range.

        Raises
        ------
        SettingError
        """
        for name, (kinds, kind_of_data) in _FOR.items():
            if getattr(self, name) not in (None, ()) and kind not in kinds:
                raise SettingError(
                    f"`{name}` is for {kind_of_data}; {path} is read as {kind}. Leave it out."
                )
        if self.decimal not in (None, ".", ","):
            raise SettingError(
                f"`decimal` must be '.' or ','; got {self.decimal!r}. Leave it out to let the "
                f"cells decide."
            )
        for name in ("size", "crop"):
            if getattr(self, name) is not None:
                height_width(name, getattr(self, name))


def height_width(name: str, given: Pixels) -> tuple[int, int]:
    """Return (height, width); a single number is the side of a square.

    Raises
    ------
    SettingError
        If it is neither a whole number ≥ 1 nor two of them.
    """
    pair = given if isinstance(given, (tuple, list)) else (given, given)
    try:
        height, width = (int(side) for side in pair)
        if (height, width) != tuple(pair) or min(height, width) < 1:
            raise ValueError
    except (TypeError, ValueError):
        raise SettingError(
            f"`{name}` must be a number of pixels, or (height, width), from 1 on; got {given!r}. "
            f"Correct it."
        ) from None
    return height, width
