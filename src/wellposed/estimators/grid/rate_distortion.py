"""The rate-distortion curve: one clone of an estimator trained for each β or σ²."""

from collections.abc import Sequence
from typing import Any, cast

from sklearn.base import clone

from wellposed._checks import check, real
from wellposed._errors import SettingError
from wellposed.evaluation import RateDistortionCurve, RatePoint
from wellposed.training import Bar, Outcome

from .._vae import VAE
from .._words import Progress, Rows

_SETTING = {"beta": "beta", "noise_variance": "noise"}


def rate_distortion_curve(
    estimator: VAE,
    X: Rows,
    X_test: Rows,
    *,
    beta: Sequence[float] | None = None,
    noise_variance: Sequence[float] | None = None,
    progress: Progress = "auto",
    **options: Any,
) -> RateDistortionCurve:
    r"""Train one clone of a VAE at each β, or at each σ², and measure rate and distortion of all.

    At fixed noise, weighting the KL by β is equivalent to replacing σ² by βσ², so both grids give
    the same models; only along σ² is the reported density that of the noise in the objective.

    Parameters
    ----------
    estimator : :class:`wellposed.VAE`, not changed; give it a ``random_state``, so that the points
        differ in one number only
    X, X_test : rows to train on, and rows to measure on; array-like of shape (n, d), or paths
    beta, noise_variance : the grid, exactly one of them; σ² in model units
    progress : a bar over the points: "auto", True or False
    **options : of :meth:`wellposed.VAE.rate_distortion`

    Returns
    -------
    :class:`wellposed.evaluation.RateDistortionCurve`; after an interruption, with the points so far

    Raises
    ------
    SettingError
        If not exactly one grid is given, or a value in it is out of range.

    References: Alemi, Poole, Fischer, Dillon, Saurous & Murphy (2018), §2 and figure 3.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> vae = VAE(1, hidden=(8,), max_epochs=2, random_state=0)
    >>> curve = rate_distortion_curve(vae, X[:60], X[60:], noise_variance=[0.5, 1.0])
    >>> [point.value for point in curve.points]
    [0.5, 1.0]
    """
    varied, values = _grid({"beta": beta, "noise_variance": noise_variance})
    points: list[RatePoint] = []
    bar = Bar(len(values), progress, "model")
    try:
        for value in values:
            vae = cast(VAE, clone(estimator))
            vae.set_params(**{_SETTING[varied]: value, "progress": False}).fit(X)
            if vae.outcome_ is Outcome.interrupted:
                break
            points.append(RatePoint(value, vae, vae.rate_distortion(X_test, **options)))
            point = points[-1].result
            bar.show(len(points), f"R {point.rate.value:.4g}  D {point.distortion.value:.5g} nats")
    except KeyboardInterrupt:
        pass
    finally:
        bar.close()
    return RateDistortionCurve(varied, tuple(points), complete=len(points) == len(values))


def _grid(grids: dict[str, Sequence[float] | None]) -> tuple[str, list[float]]:
    given = {name: list(values) for name, values in grids.items() if values is not None}
    if len(given) != 1 or not next(iter(given.values())):
        raise SettingError(
            f"A curve needs values of beta or of noise_variance, one of the two; got "
            f"{' and '.join(given) or 'neither'}. beta=[0.1, 1, 10] is a start."
        )
    ((varied, values),) = given.items()
    rule = real(above=0) if varied == "noise_variance" else real(low=0)
    return varied, [float(check(varied, value, rule)) for value in values]
