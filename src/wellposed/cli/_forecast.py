"""``wellposed forecast``: which latents must die, before any training."""

from pathlib import Path
from typing import Annotated, Any

import typer

from wellposed._errors import SettingError

from ._options import Data, Drop, Force, Header


def forecast(
    data: Data,
    components: Annotated[
        int | None,
        typer.Option(
            "--components",
            "-k",
            help="Number of latents; every direction of the data by default.",
            show_default=False,
        ),
    ] = None,
    noise_variance: Annotated[
        float | None,
        typer.Option(
            help="σ², in the units that the data have after --divide-by and --transform; "
            "the best one by default.",
            metavar="VARIANCE",
            show_default=False,
        ),
    ] = None,
    beta: Annotated[float, typer.Option(help="Weight of the KL; only 1 is the ELBO.")] = 1.0,
    divide_by: Annotated[
        float,
        typer.Option(help="Divide the data by this first: 255 takes bytes to 0…1.", metavar="X"),
    ] = 1.0,
    transform: Annotated[
        str,
        typer.Option(
            help="Data units to model units: identity, standardize or logit.", metavar="NAME"
        ),
    ] = "identity",
    resolution: Annotated[
        str,
        typer.Option(
            help="Smallest step of the measurement, as in the file, or auto: a learned σ² has its "
            "floor there.",
            metavar="STEP",
        ),
    ] = "auto",
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .png file for the figure or a .csv file for the whole table; repeatable.",
            show_default=False,
        ),
    ] = None,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Forecast which latents live and which collapse, before any training.

    Needs --components, or --noise-variance, or both: without σ², the best one is taken.
    """
    settings = dict(locals())
    for name in ("data", "output", "header", "drop", "force"):
        del settings[name]
    _run(settings, data, output or [], header, drop, force)


def _run(
    given: dict[str, Any],
    data: str,
    output: list[Path],
    header: bool | None,
    drop: list[str] | None,
    force: bool,
) -> None:
    _check(given)
    from ._outputs import check_output

    for path in output:
        check_output(path, force=force, kinds=(".png", ".csv"))
    from wellposed.estimators import forecast as forecast_of

    from ._fit_settings import number_or_name
    from ._forecast_table import show, units_of, write
    from ._inputs import read_rows, scaled

    resolution, scale = number_or_name(given["resolution"]), given["divide_by"]
    source = scaled(read_rows(data, header, drop), scale)
    found = forecast_of(
        source,
        noise_variance=given["noise_variance"],
        n_components=given["components"],
        beta=given["beta"],
        transform=given["transform"],
        resolution=resolution if isinstance(resolution, str) else resolution / scale,
    )
    show(found, units_of(given["transform"], scale))
    for path in output:
        write(path, found)
        typer.echo(f"Wrote {path}")


def _check(given: dict[str, Any]) -> None:
    if given["components"] is None and given["noise_variance"] is None:
        raise SettingError(
            "A forecast needs the number of latents, the noise variance, or both; got neither. "
            "Give --components K or --noise-variance VARIANCE."
        )
    scale, transform = given["divide_by"], given["transform"]
    if not 0 < scale < float("inf"):
        raise SettingError(
            f"--divide-by must be a finite number > 0; got {scale:g}. Leave it out to keep the "
            "data's own units."
        )
    if scale != 1 and transform != "identity":
        raise SettingError(
            f"--divide-by states σ² in units of your choice, and --transform {transform} sets "
            "units of its own; got both. Leave one out."
        )
