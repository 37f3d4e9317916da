"""How the figures of the course look, and where they are written.

``python docs/course/figures/NN_name.py [FOLDER]``: FOLDER is docs/images/course unless it is given.
"""

import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wellposed.plotting import PALETTE, QUIET

BLUE, RED, GREEN, SKY = PALETTE[:4]
INK, GREY = PALETTE[-1], QUIET
IMAGES = Path(__file__).resolve().parents[2] / "images" / "course"
FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES


def panels(n: int = 2, width: float = 9.0, height: float = 3.9) -> tuple[Figure, list[Axes]]:
    """Return a figure with n axes beside each other."""
    figure = Figure((width, height), layout="constrained")
    figure.get_layout_engine().set(wspace=0.06)
    return figure, list(figure.subplots(1, n, squeeze=False)[0])


def finish(ax: Axes, title: str, *, legend: bool = True, **labels: object) -> None:
    """Label one axes: a title at the left, no box at the top and the right."""
    ax.set(**labels)
    ax.set_title(title, loc="left", fontsize=10.5, fontweight="bold")
    ax.spines[["top", "right"]].set_visible(False)
    if legend:
        ax.legend(frameon=False, fontsize=8.5)


def save(figure: Figure, script: str) -> None:
    """Write NN.png, with NN the number that begins the script's name."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / f"{Path(script).name[:2]}.png", dpi=110, metadata={"Software": None})
