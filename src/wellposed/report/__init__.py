"""One self-contained page of a fitted model: verdicts, pictures, and how to read them."""

from ._make import made as made
from ._record import Panel as Panel
from ._record import Report as Report
from ._record import Table as Table
