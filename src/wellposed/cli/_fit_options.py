"""The settings of ``wellposed fit``; names and defaults are those of ``wellposed.VAE``."""

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

_MODEL, _TRAINING = "Model", "Training"


def _model(text: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=text, metavar=metavar, rich_help_panel=_MODEL)


def _training(text: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=text, metavar=metavar, rich_help_panel=_TRAINING)


Components: TypeAlias = Annotated[int, _model("Number of latents.", "--components", "-k")]
Noise: TypeAlias = Annotated[
    str,
    _model(
        "Gaussian: a variance in model units, or learned: shared, feature or conditional. "
        "Another family: laplace, bernoulli, causal-logistic, ...",
        metavar="VARIANCE|FAMILY",
    ),
]
Transform: TypeAlias = Annotated[
    str,
    _model(
        "Data units to model units: standardize, robust, log, log1p, logit, unit or identity; "
        "auto is what the noise is made for.",
        metavar="NAME",
    ),
]
Encoder: TypeAlias = Annotated[str, _model("mlp or conv.", metavar="NAME")]
Decoder: TypeAlias = Annotated[str, _model("mlp or conv.", metavar="NAME")]
Hidden: TypeAlias = Annotated[
    str, _model("Widths of mlp's hidden layers, data to latents.", metavar="N,N,...")
]
Activation: TypeAlias = Annotated[str, _model("Activation of the networks.", metavar="NAME")]
ImageShape: TypeAlias = Annotated[
    str | None,
    _model("Shape of one image; that of the file by default.", metavar="HxW[xC]"),
]
Resolution: TypeAlias = Annotated[
    str,
    _model("Smallest step of the measurement in data units, or auto.", metavar="STEP"),
]
Objective: TypeAlias = Annotated[str, _training("elbo, iwae or squared_error.", metavar="NAME")]
Beta: TypeAlias = Annotated[float, _training("Weight of the KL; only 1 is the ELBO.")]
Importance: TypeAlias = Annotated[int, _training("Draws a datum, for iwae.")]
MaxEpochs: TypeAlias = Annotated[int, _training("Epochs at most.")]
BatchSize: TypeAlias = Annotated[
    str, _training("Rows a step, or auto: 128, fewer for small tables.", metavar="N")
]
LearningRate: TypeAlias = Annotated[float, _training("Adam's, at the start.")]
KlWarmup: TypeAlias = Annotated[
    int, _training("Epochs over which the KL's weight rises to its target.")
]
EncoderSteps: TypeAlias = Annotated[
    int, _training("Encoder steps at most before each decoder step, until it has caught up.")
]
ValidationFraction: TypeAlias = Annotated[
    float, _training("Share of rows held out, to choose the best epoch on.")
]
Patience: TypeAlias = Annotated[
    int, _training("Epochs without a better one before stopping; 0 never stops.")
]
Checkpoint: TypeAlias = Annotated[
    Path | None,
    _training("File that makes the training resumable.", metavar="FILE"),
]
Codes: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--codes/--no-codes",
        help="Keep three draws of z for each row of DATA in the model's file, for priors fitted "
        "later.",
        rich_help_panel=_MODEL,
    ),
]
