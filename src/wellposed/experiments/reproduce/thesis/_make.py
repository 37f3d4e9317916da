"""From MNIST to the page."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wellposed import datasets, evaluation
from wellposed.training import Bar

from .._cells import Reproduction
from .._likeness import Likeness
from ._measures import measured
from ._pictures import COMPONENTS, Gallery
from ._sections import sections
from ._statements import Linear, statements
from ._trainings import DIGIT, trained, trainings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "thesis"

_SAMPLES: dict[str, dict[str, dict[str, Any]]] = {
    "free-20": {
        "draws": {"how": "ancestral"},
        "mean": {"how": "mean"},
        "α = 1": {"how": "coupled", "alpha": 1.0},
        "α = -1": {"how": "coupled", "alpha": -1.0},
    },
    "cure-20": {
        "draws": {"how": "ancestral"},
        "fitted prior": {"how": "ancestral", "prior": "aggregate"},
        "mean": {"how": "mean"},
        "mean, fitted prior": {"how": "mean", "prior": "aggregate"},
    },
}


def make(
    folder: Path, *, quick: bool, data: Any, progress: bool | str
) -> tuple[Reproduction, dict[str, "Figure"]]:
    """Train all models, measure and draw them."""
    whole = datasets.load("mnist", cache=data)
    parts = _fewer(whole, 15_000) if quick else whole
    train, test = parts.train.values, parts.test.values[: 2_000 if quick else 10_000]
    labels = np.asarray(parts.test.labels)[: len(test)]
    rows = {False: train, True: whole.train.values[np.asarray(whole.train.labels) == DIGIT]}
    seen = {False: test, True: parts.test.values[np.asarray(parts.test.labels) == DIGIT]}

    wanted = trainings(quick=quick)
    bar = Bar(len(wanted), progress, "model")
    models, found = {}, {}
    try:
        for name, vae in trained(wanted, rows, folder / "models", bar):
            models[name], found[name] = vae, measured(vae, seen[wanted[name].single])
    finally:
        bar.close()
    likeness = Likeness(parts, len(test), whole_scale=255.0)
    frechet = {name: likeness.of(models[name], kinds) for name, kinds in _SAMPLES.items()}
    returned = _by_pca(train, test)
    errors = {d: float(np.sqrt(np.mean(((r - test) / 255.0) ** 2))) for d, r in returned.items()}
    gallery = Gallery(models, test, labels, seen[True], returned)
    drawn = sections(found, frechet)
    made = Reproduction(
        NAME,
        "The experiments of the thesis, each beside its cure",
        {
            "networks": "784-512-512-d, silu, the thesis's are not known",
            "training images": f"{len(train)}; of the digit {DIGIT}, {len(rows[True])}",
            "epochs": wanted["free-2"].vae.max_epochs,
            "Fréchet of real test images": f"{likeness.floor:.1f}",
            "cure": "CausalLogistic(256): learned, a probability and so bounded, and causal",
        },
        tuple(cell for name, m in found.items() for cell in m.cells(wanted[name].title)),
        statements(found, frechet, errors, Linear.of(train)),
        (
            "Sections and figures are numbered as in the thesis: its chapter 5, “Variational "
            "Autoencoders: theory and implementations”.",
        ),
        tuple(section for section, _ in drawn),
    )
    return made, {section.picture: draw(gallery) for section, draw in drawn}


def _fewer(parts: datasets.Splits, n: int) -> datasets.Splits:
    """Training images spread evenly over all."""
    train, labels = parts.train, np.asarray(parts.train.labels)
    values, labels = (evaluation.subsample(part, n) for part in (train.values, labels))
    return dataclasses.replace(
        parts, train=dataclasses.replace(train, values=values, labels=labels)
    )


def _by_pca(train: np.ndarray, test: np.ndarray) -> dict[int, np.ndarray]:
    """Test images as PCA returns them, for each number of components."""
    from sklearn.decomposition import PCA

    fitted = PCA(max(COMPONENTS), random_state=0).fit(train)
    codes = fitted.transform(test)
    axes, centre = np.asarray(fitted.components_), np.asarray(fitted.mean_)
    return {d: codes[:, :d] @ axes[:d] + centre for d in COMPONENTS}
