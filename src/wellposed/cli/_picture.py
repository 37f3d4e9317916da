"""Samples as one picture."""

from pathlib import Path
from typing import Any

import numpy as np

from wellposed._errors import SettingError

_DPI = 150


def is_picture(path: Path | None) -> bool:
    """Whether a path asks for a picture."""
    return path is not None and path.suffix.lower() == ".png"


def check_images(vae: Any, path: Path | None) -> None:
    """Raise ``SettingError`` if the model's data are no images."""
    if getattr(vae, "image_shape_", None) is None:
        raise SettingError(
            f"Only a model of images draws pictures; {path} was asked of a model of "
            f"{vae.n_features_in_} features without image_shape. Fit with --image-shape, or "
            "write .npy or .csv."
        )


def write_images(path: Path, values: np.ndarray, image_shape: tuple[int, ...]) -> None:
    """Write rows as a grid of images."""
    from wellposed import plotting

    # Ancestral draws have tails: the ends of the greys are quantiles, or few pixels set them.
    low, high = np.quantile(values, (0.005, 0.995))
    axes = plotting.images(values, image_shape, limits=(float(low), float(high)))
    save_figure(path, axes.get_figure(), bbox_inches="tight")


def save_figure(path: Path, figure: Any, *, dpi: int = _DPI, **options: Any) -> None:
    """Write a figure as PNG, whole or not at all."""
    from wellposed.serialise import replacing

    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=dpi, **options)
