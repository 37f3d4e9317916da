"""A table of texts and estimates as aligned lines."""

from collections.abc import Mapping

from ._estimate import Estimate


def text_table(rows: tuple[Mapping[str, str | Estimate], ...]) -> str:
    """Return rows of a table as aligned lines, the names of the columns first.

    Parameters
    ----------
    rows : each by the names of the columns, which are those of the first

    Examples
    --------
    >>> print(text_table(({"model": "VAE", "nats": "3.5"},)))
    model  nats
    VAE    3.5
    """
    lines = [list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
