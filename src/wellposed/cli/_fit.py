"""``wellposed fit``: data to a model file."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wellposed._errors import SettingError
from wellposed._text import cut

from ._boundary import INTERRUPTED
from ._columns import number_or_name
from ._files import check_blocks
from ._options import (
    Activation,
    AllowUnbounded,
    BatchSize,
    Blocks,
    Checkpoint,
    ClipNorm,
    Columns,
    Components,
    Covariates,
    Data,
    Decoder,
    Devices,
    Drop,
    EmaDecay,
    Encoder,
    EncoderSteps,
    FitBeta,
    Force,
    Header,
    Hidden,
    ImageShape,
    Importance,
    KlWarmup,
    LearningRate,
    LinearStart,
    MaxEpochs,
    Missing,
    Noise,
    Objective,
    Patience,
    Precision,
    Prior,
    PriorComponents,
    Progress,
    Resolution,
    Seed,
    Shards,
    Transform,
    ValidationFolds,
    ValidationFraction,
    WeightDecay,
)
from ._terminal import say
from .hosts import Coordinator, Distributed, Process, Processes, Role, StepTimeout, joined

if TYPE_CHECKING:
    import numpy as np

    from wellposed.datasets import Source
    from wellposed.estimators import VAE
    from wellposed.sources import BlockSource

# Options of the command that are no settings of VAE, and settings under another name.
_HOSTS = frozenset({"coordinator", "processes", "process", "step_timeout"})
OWN = _HOSTS | {"data", "output", "header", "drop", "column", "blocks", "distributed", "force"}
RENAMED = {
    "components": "n_components",
    "importance": "n_importance",
    "prior_components": "n_prior_components",
    "seed": "random_state",
}

_CUT_SHORT = ("interrupted", "nonfinite")  # outcomes
_QUOTED = 60  # characters
_DIGITS = 18  # of a number that can be a size; Python itself reads no more than 4,300


def fit(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="MODEL", help="File to write.")],
    components: Components = "auto",
    noise: Noise = "auto",
    prior: Prior = "mixture",
    prior_components: PriorComponents = "auto",
    transform: Transform = "auto",
    encoder: Encoder = "mlp",
    decoder: Decoder = "mlp",
    hidden: Hidden = "128,128",
    activation: Activation = "silu",
    image_shape: ImageShape = None,
    resolution: Resolution = "auto",
    allow_unbounded: AllowUnbounded = False,
    missing: Missing = None,
    covariates: Covariates = None,
    column: Columns = None,
    objective: Objective = "elbo",
    beta: FitBeta = 1.0,
    importance: Importance = 8,
    max_epochs: MaxEpochs = "auto",
    batch_size: BatchSize = "auto",
    learning_rate: LearningRate = 4e-3,
    weight_decay: WeightDecay = 0.1,
    linear_start: LinearStart = True,
    ema_decay: EmaDecay = 0.99,
    clip_norm: ClipNorm = None,
    kl_warmup: KlWarmup = "auto",
    encoder_steps: EncoderSteps = 0,
    validation_fraction: ValidationFraction = 0.1,
    validation_folds: ValidationFolds = "auto",
    patience: Patience = "auto",
    checkpoint: Checkpoint = None,
    progress: Progress = None,
    devices: Devices = None,
    shards: Shards = 8,
    precision: Precision = "float32",
    seed: Seed = 0,
    header: Header = None,
    drop: Drop = None,
    blocks: Blocks = False,
    distributed: Distributed = False,
    coordinator: Coordinator = None,
    processes: Processes = None,
    process: Process = None,
    step_timeout: StepTimeout = None,
    force: Force = False,
) -> None:
    """Fit a VAE to DATA and write it to a file.

    Ctrl-C stops the training. With --checkpoint the same command continues it.
    """
    settings = estimator_settings(locals())
    if blocks:
        check_blocks(header, drop, column)
    with joined(distributed, coordinator, processes, process, step_timeout) as role:
        _run(data, output, settings, header, drop, column, blocks, force, role)


def _run(
    data: str,
    output: Path,
    settings: dict[str, Any],
    header: bool | None,
    drop: list[str] | None,
    column: list[str] | None,
    blocks: bool,
    force: bool,
    role: Role,
) -> None:
    from wellposed.datasets import Source
    from wellposed.estimators import VAE
    from wellposed.sources import BlockSource, open_source

    from ._columns import with_kinds
    from ._files import check_output, read_columns, read_rows, save_model

    if role.distributed:
        settings |= {"devices": settings["devices"] or "all"}
        settings |= {} if role.writes else {"progress": False}
    vae, checkpoint = VAE(**settings), settings["checkpoint"]
    if role.writes:
        check_output(checkpoint, output, data, force=True)
        check_output(output, data, force=force)
    mixed = settings["noise"] == "auto" or settings["covariates"]
    read = read_columns if mixed else read_rows
    source = open_source(data) if blocks else read(data, header, drop)
    if column:
        source, schema = with_kinds(source, column)
        vae.set_params(noise=schema)
    interrupted = train(vae, source)
    if not role.writes:
        _end(vae, interrupted)
        return
    if interrupted and checkpoint is not None:
        say(
            f"Interrupted after {vae.n_epochs_} epochs. {checkpoint} keeps the training: "
            "run the same command again to continue.",
            err=True,
        )
        raise typer.Exit(INTERRUPTED)
    save_model(vae, output, force=force)
    if isinstance(source, BlockSource):
        shape = source.n_rows, source.n_features
    else:
        shape = source.values.shape if isinstance(source, Source) else source.shape
    _show_fit(vae, shape, _folds(vae, source, shape[0]), output)
    if interrupted:
        say("Interrupted: the model is the best so far. --checkpoint resumes.", err=True)
    _end(vae, interrupted)


def _end(vae: "VAE", interrupted: bool) -> None:
    """Exit with the code of a training that did not end well."""
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if vae.outcome_.value == "nonfinite":
        raise typer.Exit(1)


def train(vae: "VAE", source: "Source | BlockSource") -> bool:
    """Fit the estimator; return whether Ctrl-C stopped it."""
    with warnings.catch_warnings():
        # Each command has a message of its own, which names the file and the options.
        warnings.filterwarnings("ignore", message="Training was interrupted")
        vae.fit(source)
    return vae.outcome_.value == "interrupted"


def estimator_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Translate the options of ``fit``, by name, to settings of ``VAE``.

    Raises
    ------
    SettingError
        If a list of widths or a shape cannot be read.
    """
    settings = {RENAMED.get(name, name): v for name, v in given.items() if name not in OWN}
    shape, noise = given["image_shape"], given["noise"]
    if given["column"] and noise != "auto":
        raise SettingError(
            f"--column sets the noise of one column, and --noise that of all; got {noise!r}. Leave "
            "--noise out."
        )
    return settings | {
        "noise": number_or_name(noise),
        "batch_size": _whole_or_name(given["batch_size"]),
        "n_prior_components": _whole_or_name(given["prior_components"]),
        "hidden": _whole_numbers("--hidden", given["hidden"], ",", "256,256"),
        "image_shape": shape and _whole_numbers("--image-shape", shape.lower(), "x", "28x28"),
        "resolution": number_or_name(given["resolution"]),
        "n_components": _whole_or_name(given["components"]),
        "max_epochs": _whole_or_name(given["max_epochs"]),
        "validation_folds": _whole_or_name(given["validation_folds"]),
        "patience": _whole_or_name(given["patience"]) or None,
        "kl_warmup": _whole_or_name(given["kl_warmup"]),
        "covariates": _given_columns(given["covariates"]),
        "devices": given["devices"] and _whole_or_name(given["devices"]),
        "progress": "auto" if given["progress"] is None else given["progress"],
    }


def _given_columns(columns: list[str] | None) -> dict[str | int, str | None] | None:
    """Return the kinds of columns by name or position; None without columns."""
    kinds: dict[str | int, str | None] = {}
    for column in columns or ():
        name, _, kind = column.rpartition(":")
        if not name or kind not in ("category", "number"):
            name, kind = column, None
        kinds[int(name) if _is_whole(name) else name] = kind
    return kinds or None


def _whole_or_name(text: str) -> int | str:
    return int(text) if _is_whole(text) else text


def _whole_numbers(option: str, text: str, separator: str, example: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(separator)]
    if not all(map(_is_whole, parts)):
        raise SettingError(
            f"{option} must be whole numbers joined by {separator!r}; got {cut(text, _QUOTED)!r}. "
            f"Write them as in {option} {example}."
        )
    return tuple(map(int, parts))


def _is_whole(text: str) -> bool:
    """Return whether a text is a whole number that can be a size."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _folds(vae: "VAE", source: Any, n: int) -> int:
    """Return the number of folds that chose the epochs; 0 without, and where not all have ended."""
    from wellposed.estimators._settings import settings_of
    from wellposed.estimators.start.settings import folds_of
    from wellposed.sources import BlockSource

    if isinstance(source, BlockSource) or vae.outcome_.value in _CUT_SHORT:
        return 0
    return folds_of(settings_of(vae) | {"image_shape": vae.image_shape_}, n)


def _show_fit(vae: "VAE", shape: tuple[int, ...], folds: int, path: Path) -> None:
    """Print how the training went and where the model is."""
    from rich.console import Console
    from rich.table import Table

    from ._files import has_several_kinds

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in _summary(vae, shape, folds):
        table.add_row(f"[dim]{name}[/dim]", value)
    Console().print(table)
    if has_several_kinds(vae):
        say(str(vae.schema_))
    say(f"Wrote {path}")


def _summary(vae: "VAE", shape: tuple[int, ...], folds: int) -> list[tuple[str, str]]:
    import numpy as np

    from wellposed.estimators._notices import objective_of_model

    from ._files import has_several_kinds

    lines = [
        ("data", f"{shape[0]} rows of {shape[1]} features"),
        ("latents", str(vae.n_components_)),
        ("outcome", f"{vae.outcome_.value} after {vae.n_epochs_} epochs"),
    ]
    found = objective_of_model(vae)
    if vae.best_epoch_ == 0:
        lines.append(("best epoch", _start_kept(vae)))
    elif found is not None:
        value, held_out = found
        rows = "training" if not held_out else f"mean of {folds} folds" if folds else "held out"
        lines.append(("objective", f"{value:.2f} nats a row, {rows}, epoch {vae.best_epoch_}"))
        lines.append(("model", _origin(vae, folds, held_out=held_out)))
    variance = np.asarray(vae.noise_variance_)
    shown = f"{float(variance):.4g}" if variance.ndim == 0 else _range(variance)
    if vae.one_scale_ is not None:
        lines.append(("scale", "one for all features" if vae.one_scale_ else "one a feature"))
    if vae.covariates_ is not None:
        lines.append(("covariates", str(vae.covariates_)))
    if not has_several_kinds(vae):  # of levels it has no meaning
        lines.append(("noise variance σ²", f"{shown} in model units"))
    return lines


def _origin(vae: "VAE", folds: int, *, held_out: bool) -> str:
    """Explain which epoch the model is of."""
    text = f"of epoch {vae.best_epoch_}"
    if folds:
        return f"{text}, trained on all rows; the folds chose the epoch"
    if vae.outcome_.value in _CUT_SHORT:
        return text
    return f"{text}, {'the best on rows held out' if held_out else 'the last'}"


def _start_kept(vae: "VAE") -> str:
    """Explain a model that no epoch of the training improved, and what to change."""
    import numpy as np

    from wellposed import nn

    n = len(vae.history_["held_out_objective"])
    if not n and vae.outcome_.value in _CUT_SHORT:
        return "0: no epoch was completed; the model is the start of the training"
    start = "the untrained start"
    if isinstance(vae.model_.decoder, nn.LinearSkip):
        shared = np.ndim(vae.noise_variance_) == 0
        start = f"the linear one, {'probabilistic PCA' if shared else 'factor analysis'}"
    compared = f"None of {n} epochs improved" if n else "In most folds no epoch improved"
    return (
        f"0: the model is {start}. {compared} on its held-out log p. A lower --learning-rate or "
        "narrower --hidden may"
    )


def _range(values: "np.ndarray") -> str:
    return f"{values.min():.3g} to {values.max():.3g}, mean {values.mean():.3g},"
