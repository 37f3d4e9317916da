"""Fit of a VAE to a source."""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wellposed import hosts, sources, training
from wellposed._errors import DataError, SettingError
from wellposed.estimators._build import member_of, plan_of
from wellposed.estimators._fitted import Fitted
from wellposed.estimators._prepare import prepare
from wellposed.estimators._settings import settings_of
from wellposed.estimators._train import check_no_folds, mesh_of
from wellposed.estimators._words import Rows
from wellposed.estimators.data.covariates import split
from wellposed.estimators.data.described import Described
from wellposed.estimators.data.rows import seed_of
from wellposed.tables import Schema

from .conditional import LevelsSeen, condition
from .rows import SourceChunks, number_type

_MOST_KEPT = 20_000  # rows held out, and rows that the start is computed from


def fit_source(
    vae: Fitted,
    source: sources.BlockSource,
    sample_weight: object,
    X_val: Rows | None,
    callbacks: Sequence[Callable[[training.EpochReport], object]],
) -> tuple[training.Run, np.ndarray]:
    """Train on all rows of a source, and return the run and the rows kept in memory.

    One pass describes the rows; units, noise and the start come from these statistics and from a
    sample. At most 20,000 rows are held out, in memory.

    Parameters
    ----------
    vae : the estimator, which gets the attributes that describe the data
    source : BlockSource
    sample_weight : None, since rows of a source weigh alike
    X_val : rows on which the best epoch is chosen, in place of a share of the source
    callbacks : as of ``fit``

    Raises
    ------
    DataError, SettingError, UnboundedLikelihoodError
        As ``fit`` does; for settings that need all rows in memory.
    """
    settings = vae.read_settings()
    _check_settings(settings, sample_weight)
    before = source.identity()
    seed, n = seed_of(vae.random_state), source.n_rows
    share = settings["validation_fraction"] if X_val is None else 0.0
    n_held, n_start = _kept(source, share)
    sampled = sources.Sampled(n, n_held + n_start, seed)
    mesh = mesh_of(settings)
    levels = LevelsSeen(source, settings["covariates"])
    found = _describe(source, sampled, settings, mesh, levels)
    sources.check_same(before, source.identity(), source)
    described = Described(found, np.arange(n_held, sampled.n))
    sample = condition(source, found, settings["covariates"], levels)
    prepared = prepare(vae, sample, described=described)
    kept, held = prepared.rows, np.arange(n_held)
    if X_val is not None:
        further = vae.rows_of(prepared.model, X_val, to_train=True)
        kept, held = np.concatenate([kept, further]), len(kept) + np.arange(len(further))
    chunks = SourceChunks(
        source,
        sources.Order(source, seed, _chunk_rows(source, plan_of(settings_of(vae), n).batch_size)),
        sampled.first(n_held) if n_held else None,
        lambda table: vae.rows_of(prepared.model, split(table, vae.covariates_), to_train=True),
        number_type(found, prepared.rows),
        prepared.rows.shape[1],
    )
    decided = settings_of(vae) | {"image_shape": vae.image_shape_}
    member = member_of(decided, prepared.model, n, key=vae.key("fit"))
    member = dataclasses.replace(member, held=held)
    shown = {name: settings[name] for name in ("checkpoint", "progress")}
    run = training.fit_chunks(member, chunks, kept, callbacks=callbacks, mesh=mesh, **shown)
    return run, prepared.rows


def _describe(
    source: sources.BlockSource,
    sampled: sources.Sampled,
    settings: dict[str, Any],
    mesh: training.DataMesh | None,
    levels: LevelsSeen,
) -> sources.Description:
    """Read all rows once, and describe them; processes of one training compare what they read."""
    several = mesh is not None and mesh.n_processes > 1
    digest = hashlib.sha256()

    def add(rows: np.ndarray) -> None:
        levels.add(rows)
        if several:
            digest.update(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data)

    with training.Bar(source.n_rows, settings["progress"], unit="statistics, rows") as bar:
        gaps = settings["missing"] is not None
        found = sources.describe(source, sampled, gaps=gaps, shown=bar.count, seen=add)
    if several:
        shape = f"{source.n_rows} x {source.n_features} {source.dtype}"
        hosts.agree_on({"rows": f"{shape} {digest.hexdigest()[:16]}"})
    return found


def _chunk_rows(source: sources.BlockSource, batch_size: int) -> int:
    """Return the rows of a chunk, which has at least one whole batch."""
    n = source.n_rows
    rows = max(sources.chunk_rows_of(source.n_features), 1 << (batch_size - 1).bit_length())
    return min(rows, sources.chunk_rows_of(1, n))


def _kept(source: sources.BlockSource, share: float) -> tuple[int, int]:
    """Return how many rows are held out, and how many others are kept for the start."""
    n, most = source.n_rows, min(_MOST_KEPT, sources.chunk_rows_of(source.n_features))
    if n < 2:
        raise DataError(
            f"Found a source of {n} sample(s) while a minimum of 2 is required. Pass more rows."
        )
    held = min(max(1, round(share * n)), most, n - 1) if share > 0 else 0
    return held, min(n - held, most)


def _check_settings(settings: dict[str, Any], sample_weight: object) -> None:
    check_no_folds(settings["validation_folds"], "a source")
    if sample_weight is not None:
        raise SettingError(
            "Rows of a source weigh alike; got sample_weight with a source. Leave it out, or fit "
            "to an array."
        )
    if isinstance(settings["noise"], Schema):
        raise SettingError(
            "A schema describes the columns of a frame, and a source has rows of numbers; got "
            'noise=Schema with a source. Pass the frame, or noise="auto".'
        )
