"""Options and arguments of the commands, by the name of the command that has them alone."""

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

Model: TypeAlias = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `fit` wrote.")]
Data: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="Rows of data: npy, npz, text (csv, txt, …), parquet, IDX, or a folder of images; or "
        "a data set by name: digits, or, once fetched, mnist or fashion-mnist.",
    ),
]
Header: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first line of a text file names the columns. By default its cells "
        "decide.",
        show_default=False,
    ),
]
Drop: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN",
        help="Column of a table to leave out, by name or by position from 0; repeatable.",
        show_default=False,
    ),
]
Train: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="DATA",
        help="Training rows. Without them, overfitting is not checked and σ² is not refitted.",
    ),
]
Blocks: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--blocks",
        help="Read DATA in blocks, where it does not fit in memory: npy, parquet, arrow, tar of "
        "images, Zarr, or a folder of files of one of these kinds.",
    ),
]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Overwrite existing outputs.")]
Seed: TypeAlias = Annotated[int, typer.Option(help="Seed of all random numbers.", min=0)]
Table: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="A .npy or .csv file. CSV on stdout by default."
    ),
]
Beta: TypeAlias = Annotated[
    float, typer.Option(help="Weight of the KL term. Only 1 gives the ELBO.")
]


# The settings of `fit`: names and defaults are those of `wellposed.VAE`.


def _model(text: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=text, metavar=metavar, rich_help_panel="Model")


def _training(text: str, *names: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=text, metavar=metavar, rich_help_panel="Training")


Components: TypeAlias = Annotated[
    str, _model("Number of latents, or auto.", "--components", "-k", metavar="N")
]
Noise: TypeAlias = Annotated[
    str,
    _model(
        "Gaussian noise: its variance in model units, or shared, feature or conditional to learn "
        "it; auto is shared for images and conditional for tables. Or another family: laplace, "
        "bernoulli, causal-logistic, ...",
        metavar="VARIANCE|FAMILY",
    ),
]
Transform: TypeAlias = Annotated[
    str,
    _model(
        "Data units to model units: standardize, robust, log, log1p, logit, unit or identity. "
        "auto takes the one that suits the noise.",
        metavar="NAME",
    ),
]
Encoder: TypeAlias = Annotated[str, _model("Network of the encoder: mlp or conv.", metavar="NAME")]
Decoder: TypeAlias = Annotated[str, _model("Network of the decoder: mlp or conv.", metavar="NAME")]
Hidden: TypeAlias = Annotated[
    str,
    _model(
        "Widths of the hidden layers of mlp, in the order of the encoder; the decoder has them in "
        "reverse.",
        metavar="N,N,...",
    ),
]
Activation: TypeAlias = Annotated[
    str, _model("Activation function of the networks.", metavar="NAME")
]
ImageShape: TypeAlias = Annotated[
    str | None,
    _model("Shape of one image. By default the shape in the file.", metavar="HxW[xC]"),
]
Resolution: TypeAlias = Annotated[
    str,
    _model(
        "Smallest step of the measurement in data units, or auto. σ is at least step/√12.",
        metavar="STEP",
    ),
]
Prior: TypeAlias = Annotated[
    str,
    _model(
        "p(z): standard, which is N(0, I); mixture, vamp or flow, learned with the ELBO; or "
        "aggregate, a mixture fitted to the codes after training, where it gains.",
        metavar="NAME",
    ),
]
PriorComponents: TypeAlias = Annotated[
    str, _model("Components of mixture or vamp, or auto, which follows the rows.", metavar="N")
]
AllowUnbounded: TypeAlias = Annotated[
    bool, _model("Train a model whose likelihood has no maximum.", "--allow-unbounded")
]
Objective: TypeAlias = Annotated[
    str, _training("What training maximises: elbo, iwae or squared_error.", metavar="NAME")
]
FitBeta: TypeAlias = Annotated[
    float, _training("Weight of the KL term. Only 1 gives the ELBO.", "--beta")
]
Importance: TypeAlias = Annotated[int, _training("Draws of z per row for the objective iwae.")]
MaxEpochs: TypeAlias = Annotated[
    str, _training("Maximum number of epochs, or auto: 200 to 500.", metavar="N")
]
BatchSize: TypeAlias = Annotated[
    str, _training("Rows per step. auto is 128, or fewer for small tables.", metavar="N")
]
LearningRate: TypeAlias = Annotated[
    float, _training("Learning rate of Adam at the start; it decays to 0 by the last epoch.")
]
WeightDecay: TypeAlias = Annotated[float, _training("Weight decay of AdamW. 0 is Adam.")]
LinearStart: TypeAlias = Annotated[
    bool,
    _training(
        "Start at the exact linear solution, probabilistic PCA or factor analysis.",
        "--linear-start/--no-linear-start",
    ),
]
EmaDecay: TypeAlias = Annotated[
    float,
    _training("Decay of the moving average of the parameters that is kept. 0 keeps the last."),
]
Devices: TypeAlias = Annotated[
    str | None,
    _training(
        "Number of devices that each batch is spread over, or all. One by default.", metavar="N"
    ),
]
Shards: TypeAlias = Annotated[
    int,
    _training("Parts of a batch with --devices: a power of two, and a multiple of the devices."),
]
Precision: TypeAlias = Annotated[
    str,
    _training("Of products of fully connected layers in the training: float32, or bfloat16."),
]
ClipNorm: TypeAlias = Annotated[
    float | None,
    _training("Maximum norm of the gradient; longer ones are scaled down. None by default."),
]
KlWarmup: TypeAlias = Annotated[
    str,
    _training(
        "Number of epochs over which the weight of the KL term rises from 0 to --beta. auto is "
        "4 % of --max-epochs where noise or networks have no linear start, and else 0.",
        metavar="N",
    ),
]
EncoderSteps: TypeAlias = Annotated[
    int,
    _training(
        "Maximum number of encoder-only updates before each decoder update (lagging-inference "
        "training, He et al. 2019). The phase ends when I(x; z) stops rising. 0 disables it."
    ),
]
ValidationFraction: TypeAlias = Annotated[
    float,
    _training("Fraction of the rows held out to choose the best epoch. 0 trains on all rows."),
]
ValidationFolds: TypeAlias = Annotated[
    str,
    _training(
        "Number of folds by which the number of epochs is chosen, before a training on all rows. 0 "
        "holds a fraction out instead; auto is 5 for tables of 10 to 499 rows.",
        metavar="N",
    ),
]
Patience: TypeAlias = Annotated[
    str,
    _training(
        "Stop after this number of epochs without a better held-out objective. 0 never stops; "
        "auto is two fifths of --max-epochs, a tenth for images, at least 20.",
        metavar="N",
    ),
]
Missing: TypeAlias = Annotated[
    str | None,
    _model(
        "ignorable trains on the observed entries of rows with gaps, where whether an entry is "
        "missing depends on observed entries only. Gaps are refused by default.",
        metavar="WORD",
    ),
]
Covariates: TypeAlias = Annotated[
    list[str] | None,
    _model(
        "Column that the model is given and does not model, such as a batch, by name or by "
        "position from 0; repeatable. NAME:category or NAME:number sets its kind.",
        metavar="COLUMN",
    ),
]
Columns: TypeAlias = Annotated[
    list[str] | None,
    _model(
        "Kind of a column of a table (real, amount, count, category, ...), or its noise "
        "(student-t, log-normal, ...), as in zip=category; repeatable. `fit` prints what the "
        "columns are taken for.",
        "--column",
        metavar="COLUMN=WORD",
    ),
]
At: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--at",
        metavar="NAME=VALUE",
        help="Value of a covariate of the model, for all rows; repeatable, one for each covariate.",
        show_default=False,
    ),
]
Checkpoint: TypeAlias = Annotated[
    Path | None,
    _training(
        "File for the state of the training. The same command continues from it.", metavar="FILE"
    ),
]
Progress: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--progress/--no-progress",
        help="Show a progress bar. On by default at a terminal.",
        show_default=False,
        rich_help_panel="Training",
    ),
]


# The settings of `forecast`.

ForecastComponents: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--components",
        "-k",
        help="Number of latents. By default one for each direction of the data.",
        show_default=False,
    ),
]
NoiseVariance: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="σ², in the units of the data after --divide-by and --transform. By default the "
        "variance of highest likelihood.",
        metavar="VARIANCE",
        show_default=False,
    ),
]
DivideBy: TypeAlias = Annotated[
    float,
    typer.Option(
        help="Divide the data by this number first. 255 maps pixels to 0…1, the units of "
        "published σ² for MNIST.",
        metavar="X",
    ),
]
ForecastTransform: TypeAlias = Annotated[
    str,
    typer.Option(
        "--transform",
        help="Data units to model units: identity, standardize or logit; auto is identity for a "
        "given noise variance, and otherwise standardize, as in fit.",
        metavar="NAME",
    ),
]
ForecastResolution: TypeAlias = Annotated[
    str,
    typer.Option(
        "--resolution",
        help="Smallest step of the measurement in the units of the file, or auto. It bounds σ² "
        "from below.",
        metavar="STEP",
    ),
]
ForecastOutput: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="A .png file for the figure or a .csv file for the whole table; repeatable.",
        show_default=False,
    ),
]
