"""Selection of the columns to leave out, and errors for columns that are not numeric."""

from collections.abc import Iterable, Sequence

from wellposed._errors import DataError, SettingError, unknown_name


class NotNumericError(DataError):
    """A column of a file holds something else than numbers."""


_SHOWN = 20  # columns in a message


def dropped_columns(
    drop: Sequence[str | int], names: tuple[str, ...] | None, width: int, origin: str
) -> frozenset[int]:
    """Turn names, or positions counted from 0, into positions; a name drops all such columns.

    A number as text is the name of a column if there is one, else a position, since a command line
    passes text only.
    """
    chosen: set[int] = set()
    for column in drop:
        if isinstance(column, str) and column.isascii() and column.isdigit():
            column = column if column in (names or ()) else int(column)
        if not isinstance(column, str):
            if not 0 <= column < width:
                raise SettingError(
                    f"A column to drop must be a name or a position from 0 to {width - 1} in "
                    f"{origin}; got {column}. Correct `drop`."
                )
            chosen.add(int(column))
        elif names is None:
            raise SettingError(
                f"Columns can be dropped by name only where a header names them; {origin} has no "
                f"header and got {column!r}. Pass the position, counted from 0, or header=True."
            )
        elif column not in names:
            raise unknown_name(f"A column to drop from {origin}", column, names)
        else:
            chosen.update(i for i, name in enumerate(names) if name == column)
    if len(chosen) == width:
        raise SettingError(
            f"At least one column must remain; `drop` removes all {width} of {origin}. Shorten it."
        )
    return frozenset(chosen)


def not_numeric(
    columns: Iterable[int],
    names: tuple[str, ...] | None,
    origin: str,
    example: str,
    remedy: str,
    *,
    can_drop: bool = True,
) -> NotNumericError:
    """Build the error for columns that are not numbers."""
    listed = [names[i] if names and names[i] else i for i in columns]
    called = ", ".join(f"column {column!r}" for column in listed[:_SHOWN])
    if len(listed) > _SHOWN:
        called += f" and {len(listed) - _SHOWN} more"
    also = f", or leave them out: drop={tuple(listed)!r}" if can_drop else ""
    return NotNumericError(
        f"Every column must be numeric; {origin} has {called} with {example}. {remedy}{also}."
    )
