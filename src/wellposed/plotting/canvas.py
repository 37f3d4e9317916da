"""The parts of matplotlib that figures are made of, and what to install where it is absent.

Matplotlib brings nine more packages, which a machine that only fits and scores does without.
Importing this room needs none of it; a new figure does.
"""

import importlib.util
from typing import TYPE_CHECKING, Any

from wellposed._errors import MissingPackageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure
    from matplotlib.patches import Rectangle as Rectangle
    from matplotlib.ticker import LogLocator as LogLocator
    from matplotlib.ticker import MaxNLocator as MaxNLocator
    from matplotlib.ticker import NullFormatter as NullFormatter
elif importlib.util.find_spec("matplotlib") is not None:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
else:

    class Axes:
        """Axes to draw on: there are none without matplotlib."""

        def __init__(self, *_: Any, **__: Any) -> None:
            check_installed("A figure")

    class Figure(Axes):
        """A figure: there is none without matplotlib."""

    Rectangle = LogLocator = MaxNLocator = NullFormatter = Axes


def check_installed(what: str) -> None:
    """Raise ``MissingPackageError`` where matplotlib is absent.

    Parameters
    ----------
    what : the thing that needs it, as the subject of a sentence
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingPackageError(
            f"{what} needs matplotlib, which is not installed. Run `pip install 'wellposed[plot]'`."
        )
