"""Records as notebooks show them."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from wellposed._text import visible


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table; every text is escaped, numbers are cut to four digits."""
    heads = "".join(f'<th scope="col">{escape(visible(name))}</th>' for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_text_of(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        f"<table><caption>{escape(visible(caption))}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )


def _text_of(cell: Any) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else visible(cell)
