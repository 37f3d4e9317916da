"""Draw the panels of a report and join them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import ForkedProcessError, WellposedError
from wellposed._text import cut, paragraph
from wellposed._typing import PRNGKey
from wellposed.evaluation import Diagnosis
from wellposed.plotting.canvas import check_installed

from . import _panels as panels
from ._facts import Facts
from ._fitted_vae import FittedVAE
from ._record import Panel, Report

PANELS: tuple[Callable[[Facts], Panel | None], ...] = (
    panels.samples,
    panels.reconstructions,
    panels.plane,
    panels.traversals,
    panels.rates,
    panels.eigenvalues,
    panels.split,
    panels.calibration,
    panels.training,
    panels.correlation,
)

_REASON = 400  # characters


def make_report(
    vae: FittedVAE,
    rows: np.ndarray,
    *,
    diagnosis: Diagnosis,
    labels: ArrayLike | None = None,
    gaps: np.ndarray | None = None,
    key: PRNGKey,
    on_panel: Callable[[str], object] | None = None,
    further: Sequence[Callable[[Facts], Panel | None]] = (),
) -> Report:
    """Draw every panel that applies to the model.

    A panel that cannot be drawn is listed at the end, with the message of its error.

    Parameters
    ----------
    vae : a fitted :class:`wellposed.VAE`
    rows : array of shape (n, d), data units
    diagnosis : of the same model on these rows
    labels : array of shape (n,), for the colours of the latent plane
    gaps : bool array of shape (n, d), the cells of ``rows`` that were drawn by the model
    key : PRNG key
    on_panel : called with a panel's name before it is drawn
    further : functions of panels that follow the others

    Returns
    -------
    Report

    Raises
    ------
    ForkedProcessError
        In a process that was forked after JAX had started.
    MissingPackageError
        Without matplotlib.

    Examples
    --------
    >>> import wellposed as wp
    >>> diagnosis = wp.diagnose(vae, X)  # doctest: +SKIP
    >>> report = make_report(vae, X, diagnosis=diagnosis, key=key)  # doctest: +SKIP
    """
    check_installed("A report")
    facts = Facts(vae, rows, labels, gaps, key=key)
    drawn, left_out = [], []
    for panel in (*PANELS, *further):
        name = panel.__name__
        if on_panel is not None:
            on_panel(name)
        try:
            part = panel(facts)
        except ForkedProcessError:
            raise  # no panel can be drawn
        except Exception as error:
            left_out.append(f"{name}: {_reason(error)}")
            continue
        if part is not None:
            drawn.append(part)
    return Report(f"Report on {diagnosis.model}", diagnosis, tuple(drawn), tuple(left_out))


def _reason(error: Exception) -> str:
    """The message in one paragraph, with the type of an error that is not of the library."""
    kind = "" if isinstance(error, WellposedError) else f"{type(error).__name__}: "
    return kind + cut(paragraph(error) or "no message", _REASON)
