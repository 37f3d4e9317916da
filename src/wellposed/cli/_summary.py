"""What ``fit`` says at its end."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ._terminal import say


def show_fit(vae: Any, shape: tuple[int, ...], path: Path) -> None:
    """Print how the training went and where the model is."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in _lines(vae, shape):
        table.add_row(f"[dim]{name}[/dim]", value)
    Console().print(table)
    say(f"Wrote {path}")


def _lines(vae: Any, shape: tuple[int, ...]) -> list[tuple[str, str]]:
    held = vae.history_["held_out_objective"]
    watched = vae.history_["objective"] if np.isnan(held).all() else held
    lines = [
        ("data", f"{shape[0]} rows of {shape[1]} features"),
        ("latents", str(vae.n_components)),
        ("outcome", f"{vae.outcome_.value} after {vae.n_epochs_} epochs"),
    ]
    if len(watched) and not np.isnan(watched).all():
        best = int(np.nanargmax(watched))
        where = "training" if watched is not held else "held out"
        lines.append(("objective", f"{watched[best]:.2f} nats a row, {where}, epoch {best + 1}"))
    variance = np.asarray(vae.noise_variance_)
    shown = f"{float(variance):.4g}" if variance.ndim == 0 else _range(variance)
    if vae.one_scale_ is not None:
        lines.append(("scale", "one for all features" if vae.one_scale_ else "one a feature"))
    return [*lines, ("noise variance σ²", f"{shown} in model units")]


def _range(values: np.ndarray) -> str:
    return f"{values.min():.3g} to {values.max():.3g}, mean {values.mean():.3g},"
