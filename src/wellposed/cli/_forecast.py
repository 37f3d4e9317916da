"""``wellposed forecast``: which latents must die, before any training."""

from pathlib import Path
from typing import Any

from wellposed._checks import check_number
from wellposed._errors import SettingError

from ._forecast_options import (
    Beta,
    Components,
    DivideBy,
    NoiseVariance,
    Output,
    Resolution,
    Transform,
)
from ._options import Data, Drop, Force, Header
from ._terminal import say


def forecast(
    data: Data,
    components: Components = None,
    noise_variance: NoiseVariance = None,
    beta: Beta = 1.0,
    divide_by: DivideBy = 1.0,
    transform: Transform = "identity",
    resolution: Resolution = "auto",
    output: Output = None,
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
    from ._outputs import check_outputs

    check_outputs(output, data, force=force, kinds=(".png", ".csv"))
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
        say(f"Wrote {path}")


def _check(given: dict[str, Any]) -> None:
    if given["components"] is None and given["noise_variance"] is None:
        raise SettingError(
            "A forecast needs the number of latents, the noise variance, or both; got neither. "
            "Give --components K or --noise-variance VARIANCE."
        )
    scale, transform = given["divide_by"], given["transform"]
    check_number("--divide-by", scale, "Leave it out to keep the data's own units.", above=0)
    if scale != 1 and transform != "identity":
        raise SettingError(
            f"--divide-by states σ² in units of your choice, and --transform {transform} sets "
            "units of its own; got both. Leave one out."
        )
