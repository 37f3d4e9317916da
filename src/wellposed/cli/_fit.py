"""``wellposed fit``: data to a model file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ._boundary import INTERRUPTED
from ._fit_options import (
    Activation,
    BatchSize,
    Beta,
    Checkpoint,
    Codes,
    Components,
    Decoder,
    Encoder,
    EncoderSteps,
    Hidden,
    ImageShape,
    Importance,
    KlWarmup,
    LearningRate,
    MaxEpochs,
    Noise,
    Objective,
    Patience,
    Resolution,
    Transform,
    ValidationFraction,
)
from ._options import Data, Drop, Force, Header, Seed
from ._terminal import say


def fit(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="MODEL", help="To write.")],
    components: Components = 10,
    noise: Noise = "shared",
    transform: Transform = "auto",
    encoder: Encoder = "mlp",
    decoder: Decoder = "mlp",
    hidden: Hidden = "256,256",
    activation: Activation = "relu",
    image_shape: ImageShape = None,
    objective: Objective = "elbo",
    beta: Beta = 1.0,
    importance: Importance = 8,
    max_epochs: MaxEpochs = 200,
    batch_size: BatchSize = "auto",
    learning_rate: LearningRate = 1e-3,
    kl_warmup: KlWarmup = 0,
    encoder_steps: EncoderSteps = 0,
    validation_fraction: ValidationFraction = 0.1,
    patience: Patience = 20,
    resolution: Resolution = "auto",
    checkpoint: Checkpoint = None,
    codes: Codes = True,
    seed: Seed = 0,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Fit a VAE to DATA and write it to a file.

    Ctrl-C stops the training; with --checkpoint the same command goes on from there.
    """
    settings = dict(locals())
    for name in ("data", "output", "codes", "header", "drop", "force"):
        del settings[name]
    _run(data, output, settings, header, drop, force, codes)


def _run(
    data: str,
    output: Path,
    given: dict[str, Any],
    header: bool | None,
    drop: list[str] | None,
    force: bool,
    codes: bool,
) -> None:
    from wellposed.estimators import VAE

    from ._fit_settings import estimator_settings
    from ._inputs import read_rows
    from ._outputs import check_output, save_model
    from ._summary import show_fit
    from ._train import train

    vae = VAE(**estimator_settings(given))
    check_output(given["checkpoint"], output, data, force=True)
    check_output(output, data, force=force)
    source = read_rows(data, header, drop)
    interrupted = train(vae, source)
    if interrupted and given["checkpoint"] is not None:
        say(
            f"Interrupted after {vae.n_epochs_} epochs. {given['checkpoint']} keeps the training: "
            "run the same command again to go on.",
            err=True,
        )
        raise typer.Exit(INTERRUPTED)
    save_model(vae, output, force=force, codes=codes)
    show_fit(vae, source.values.shape, output)
    if interrupted:
        say("Interrupted: the model is the best so far. --checkpoint resumes.", err=True)
        raise typer.Exit(INTERRUPTED)
    if vae.outcome_.value == "nonfinite":
        raise typer.Exit(1)
