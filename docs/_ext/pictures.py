"""Pictures of the gallery with a description: the label of their figure."""

from typing import Any

import matplotlib.pyplot as plt
from sphinx_gallery.scrapers import matplotlib_scraper


def described(block: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Return the open figure as an image whose description is the figure's label."""
    labels = [plt.figure(number).get_label() for number in plt.get_fignums()]
    text = matplotlib_scraper(block, variables, settings)
    if labels and not (len(labels) == 1 and labels[0]):
        raise ValueError(f"A script draws one figure and describes it: {block}")
    lines = text.splitlines()
    return "\n".join(
        line.partition(":alt:")[0] + f":alt: {labels[0]}" if ":alt:" in line else line
        for line in lines
    )


def _get_sg_image_scraper() -> Any:
    """Return what sphinx-gallery asks a module of scrapers for."""
    return described
