"""The recipe: train all models on MNIST, measure them and draw the page."""

import dataclasses
from typing import Any

import numpy as np

from wellposed import datasets, evaluation
from wellposed.plotting.canvas import Figure
from wellposed.training import Bar

from ..cells import Reproduction
from ..frechet import FrechetReference
from ..grid_table import Job
from .measures import measure
from .pictures import COMPONENTS, Gallery
from .sections import sections
from .statements import LinearTheory, statements
from .trainings import DIGIT, fit_each, trainings

NAME = "thesis"

_SAMPLES: dict[str, dict[str, dict[str, Any]]] = {
    "free-20": {
        "draws": {"how": "ancestral"},
        "mean": {"how": "mean"},
        "α = 1": {"how": "coupled", "alpha": 1.0},
        "α = -1": {"how": "coupled", "alpha": -1.0},
    },
    "causal-20": {
        "draws": {"how": "ancestral"},
        "mean": {"how": "mean"},
    },
}


def make(job: Job) -> tuple[Reproduction, dict[str, Figure]]:
    """Train all models, measure them and draw their pictures."""
    whole = datasets.load("mnist", cache=job.data)
    parts = _subset(whole, 15_000) if job.quick else whole
    train, test = parts.train.values, parts.test.values[: 2_000 if job.quick else 10_000]
    labels = np.asarray(parts.test.labels)[: len(test)]
    # By whether a model is trained on the single digit.
    rows = {False: train, True: _of_digit(whole.train)}
    held_out = {False: test, True: _of_digit(parts.test)}

    plans = trainings(quick=job.quick)
    bar = Bar(len(plans), job.progress, "model")
    models, m = {}, {}
    try:
        for name, vae in fit_each(plans, rows, job.folder / "models", bar):
            models[name], m[name] = vae, measure(vae, held_out[plans[name].single])
    finally:
        bar.close()
    reference = FrechetReference(parts, len(test), whole_scale=255.0)
    frechet = {name: reference.distances(models[name], kinds) for name, kinds in _SAMPLES.items()}
    pca = _pca_reconstructions(train, test)
    errors = {d: float(np.sqrt(np.mean(((r - test) / 255.0) ** 2))) for d, r in pca.items()}
    gallery = Gallery(models, test, labels, held_out[True], pca)
    pages = sections(m, frechet)
    table = Reproduction(
        NAME,
        "The experiments of the thesis, each beside a remedy",
        {
            "networks": "784-512-512-d, silu; the thesis does not state its own",
            "training images": f"{len(train)}; of the digit {DIGIT}, {len(rows[True])}",
            "epochs": plans["free-2"].vae.max_epochs,
            "Fréchet of real test images": f"{reference.floor:.1f}",
            "causal model": "CausalLogistic(256): learned causal noise, a probability and hence "
            "bounded",
        },
        tuple(cell for name, found in m.items() for cell in found.cells(plans[name].title)),
        statements(m, frechet, errors, LinearTheory.of(train)),
        (
            "Sections and figures are numbered as in the thesis: its chapter 5, “Variational "
            "Autoencoders: theory and implementations”.",
        ),
        tuple(section for section, _ in pages),
    )
    return table, {section.picture: draw(gallery) for section, draw in pages}


def _of_digit(source: datasets.Source) -> np.ndarray:
    return source.values[np.asarray(source.labels) == DIGIT]


def _subset(parts: datasets.Splits, n: int) -> datasets.Splits:
    """Keep n training images, spread evenly over all."""
    train, labels = parts.train, np.asarray(parts.train.labels)
    values, labels = (evaluation.subsample(part, n) for part in (train.values, labels))
    few = dataclasses.replace(train, values=values, labels=labels)
    return dataclasses.replace(parts, train=few)


def _pca_reconstructions(train: np.ndarray, test: np.ndarray) -> dict[int, np.ndarray]:
    """Return PCA's reconstructions of the test images for each number of components."""
    from sklearn.decomposition import PCA

    pca = PCA(max(COMPONENTS), random_state=0).fit(train)
    codes = pca.transform(test)
    axes, centre = np.asarray(pca.components_), np.asarray(pca.mean_)
    return {d: codes[:, :d] @ axes[:d] + centre for d in COMPONENTS}
