"""The option ``--column``: the kind or the noise of single columns of a table."""

from typing import TYPE_CHECKING, Any

from wellposed._errors import SettingError, suggest
from wellposed._text import cut

if TYPE_CHECKING:
    from wellposed.tables import Schema

_QUOTED = 60  # characters
_OF_SEVERAL = {"causal-gaussian", "causal-logistic", "low-rank"}  # noise of no single column


def with_kinds(rows: Any, columns: list[str]) -> tuple[Any, "Schema"]:
    """Return rows as a frame, and its schema with what ``--column`` sets.

    Parameters
    ----------
    rows : what :func:`wellposed.cli._files.read_columns` returns
    columns : texts COLUMN=KIND or COLUMN=NOISE

    Raises
    ------
    SettingError
        For a text without "=", a column that is not there, and a word that is no kind and no noise.
    """
    from wellposed.tables import Schema
    from wellposed.tables._column import KINDS

    from ._files import as_frame

    frame = as_frame(rows)
    schema = Schema.of(frame)
    for column in columns:
        name, sign, word = column.rpartition("=")
        if not sign:
            raise SettingError(
                f"--column must be COLUMN=KIND or COLUMN=NOISE; got {cut(column, _QUOTED)!r}. "
                "Write it as in --column zip=category."
            )
        noise = number_or_name(word)
        if word not in KINDS and isinstance(noise, str):
            _check_noise(word)
        changed: dict[str, Any] = {"kind": word} if word in KINDS else {"noise": noise}
        schema = schema.replace(name, **changed)
    return frame, schema


def _check_noise(word: str) -> None:
    """Raise ``SettingError`` for a word that is no noise of a column, listing kinds and noises."""
    from wellposed.noise._resolve import FAMILIES, LEARNED
    from wellposed.tables._column import KINDS, LEFT_OUT

    if word in (*LEARNED, *FAMILIES):
        return
    noises = sorted({*LEARNED, *FAMILIES} - _OF_SEVERAL)
    kinds = [kind for kind in KINDS if kind not in LEFT_OUT]
    raise SettingError(
        f"The word of --column must be a kind ({', '.join(kinds)}; {', '.join(LEFT_OUT)} leave the "
        f"column out) or a noise ({', '.join(noises)}); got {cut(word, _QUOTED)!r}. "
        f"{suggest(word, (*KINDS, *noises))}"
    )


def number_or_name(text: str) -> float | str:
    """Return the number that the text is, or the text."""
    try:
        return float(text)
    except ValueError:
        return text
