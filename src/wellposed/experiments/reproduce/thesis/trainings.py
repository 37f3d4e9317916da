"""The models of the page: their settings, and the loop that trains or loads them."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from wellposed import noise, transforms
from wellposed._errors import SettingError
from wellposed.estimators import VAE, load
from wellposed.training import Bar, Outcome

from ..._textbook import TEXTBOOK
from ..grid_table import UnfinishedError

LEVELS = 256
DIGIT = 3  # of the figures of one digit
TINY = 1e-8  # σ = 0.0001
SMALL_BETA, LARGE_BETA = 0.001, 10.0
RECONSTRUCTING = 0.01  # β of figure 5.9, with σ = 1; and σ² of its twin, with β = 1

# Settings in which a stored model may differ.
_RUNNING = ("checkpoint", "progress")


@dataclasses.dataclass(frozen=True, eq=False)
class Training:
    """A model of the page."""

    title: str  # its row in the table
    vae: VAE
    single: bool = False  # whether it is trained on one digit only


def trainings(*, quick: bool) -> dict[str, Training]:
    """Return all models by name; the number at the end is d, the thesis's number of latents.

    Pixels are whole numbers. The Gaussian models dequantise them, so all ELBOs are in nats and
    refer to the same 256 levels. σ is in units of the whole scale from white to black. The thesis
    states neither its networks nor its number of epochs.
    """
    plain = TEXTBOOK | {
        "hidden": (512, 512),
        "activation": "silu",
        "image_shape": (28, 28),
        "transform": transforms.Unit(LEVELS),
        "max_epochs": 15 if quick else 100,
        "validation_fraction": 0.0,
        "patience": None,
        "prior": "standard",
        "random_state": 0,
    }
    causal = plain | {
        "noise": noise.CausalLogistic(LEVELS),
        "transform": "auto",
        "weight_decay": 0.1,
    }
    # Twenty latents need a long warm-up to stay active, two a shorter one.
    many: dict[str, Any] = causal | {"kl_warmup": 6 if quick else 40}
    adopting: dict[str, Any] = many | {"prior": "aggregate"}
    two: dict[str, Any] = causal | {"kl_warmup": 2 if quick else 14}

    def model(title: str, d: int, *, single: bool = False, **settings: Any) -> Training:
        chosen: dict[str, Any] = {**plain, **settings, "n_components": d}
        return Training(title, VAE(**chosen), single)

    free = {"noise": noise.Gaussian("conditional", floor=0.0, ratio=None), "allow_unbounded": True}
    return {
        "free-2": model("σ(z), d = 2", 2, **free),
        "free-20": model("σ(z), d = 20", 20, **free),
        "beta-20": model(f"σ = 1, β = {RECONSTRUCTING:g}, d = 20", 20, noise=1.0,
                         beta=RECONSTRUCTING),
        "twin-20": model("σ = 0.1, d = 20", 20, noise=RECONSTRUCTING),
        "unit-2": model("σ = 1, d = 2", 2, noise=1.0),
        "unit-20": model("σ = 1, d = 20", 20, noise=1.0),
        "tiny-2": model("σ = 0.0001, d = 2", 2, noise=TINY),
        "tiny-20": model("σ = 0.0001, d = 20", 20, noise=TINY),
        "small-beta-2": model(f"σ = 1, β = {SMALL_BETA:g}, d = 2", 2, noise=1.0, beta=SMALL_BETA),
        "large-beta-2": model(f"σ = 1, β = {LARGE_BETA:g}, d = 2", 2, noise=1.0, beta=LARGE_BETA),
        "small-beta-digit": model(f"digit {DIGIT}, σ = 1, β = {SMALL_BETA:g}, d = 2", 2,
                                  single=True, noise=1.0, beta=SMALL_BETA),
        "large-beta-digit": model(f"digit {DIGIT}, σ = 1, β = {LARGE_BETA:g}, d = 2", 2,
                                  single=True, noise=1.0, beta=LARGE_BETA),
        "learned-20": model("σ learned, d = 20", 20, noise="shared"),
        "causal-2": model("causal, d = 2", 2, **two),
        "causal-20": model("causal, d = 20", 20, **adopting),
        "causal-digit": model(f"digit {DIGIT}, causal, d = 2", 2, single=True, **two),
    }  # fmt: skip


def fit_each(
    plans: Mapping[str, Training], rows: Mapping[bool, np.ndarray], folder: Path, bar: Bar
) -> Iterator[tuple[str, VAE]]:
    """Yield each model, loaded from the folder, or trained and saved there.

    ``rows[True]`` are the images of the single digit, ``rows[False]`` those of all digits.

    Raises
    ------
    SettingError
        If the folder's model was trained with other settings.
    UnfinishedError
        After an interruption; the states are kept, and the next call continues from them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for done, (name, training) in enumerate(plans.items()):
        bar.show(done, training.title)
        path = folder / f"{name}.wp"
        if path.exists():
            yield name, _load(path, training.vae)
            continue
        checkpoint = folder / f"{name}.checkpoint"
        vae = training.vae.set_params(checkpoint=checkpoint, progress=False)
        vae.fit(rows[training.single])
        if vae.outcome_ is Outcome.interrupted:
            raise UnfinishedError(
                f"The page needs {len(plans)} models; {done} have ended. Their states are in "
                f"{folder}. Run the same command again to continue."
            )
        vae.save(path)
        checkpoint.unlink(missing_ok=True)
        yield name, vae


def _load(path: Path, template: VAE) -> VAE:
    vae = cast(VAE, load(path))
    stored = vae.get_params(deep=False)
    for name, value in template.get_params(deep=False).items():
        # The representation of a noise or a transform contains all its settings.
        if name not in _RUNNING and repr(value) != repr(stored[name]):
            raise SettingError(
                f"All models in the folder must have the settings of this page; {path} was trained "
                f"with {name}={stored[name]!r}, and the page needs {value!r}. Name a new folder."
            )
    return vae
