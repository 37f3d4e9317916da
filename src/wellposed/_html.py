"""Pages and notebook views by Jinja templates, in which every text is escaped."""

import base64
import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from wellposed._text import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: object) -> str:
    """Fill a template of the package with values.

    Texts are escaped, their control characters are made visible, and floats written with
    ``{{ value|figure }}`` are cut to four digits. Bytes of a PNG written with
    ``{{ value|picture }}`` become a data address.

    Parameters
    ----------
    template : path in the package, such as "reports/page.html.jinja"
    values : values of the variables of the template

    Examples
    --------
    >>> "<b>" in render("table.html.jinja", caption="<b>", head=(), rows=())
    False
    """
    return _environment().get_template(template).render(values)


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as HTML.

    Parameters
    ----------
    caption, head : text above the table, and names of its columns
    rows : cells of each row, text or numbers

    Examples
    --------
    >>> "<td>1.235</td>" in table("Numbers", ["x"], [[1.23456]])
    True
    """
    return render("table.html.jinja", caption=caption, head=head, rows=rows)


@functools.cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("wellposed", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["figure"] = _figure
    environment.filters["picture"] = _data_address
    return environment


def _finalize(value: Any) -> Any:
    """Make control characters of a text visible; markup (style, script) is not a plain string."""
    return visible(value) if type(value) is str else value


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _data_address(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
