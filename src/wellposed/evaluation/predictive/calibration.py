"""Calibration of a model: PIT histogram, coverage and CRPS of three predictive distributions."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_count, check_number
from wellposed._errors import DataError, unknown_name
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey, Tree
from wellposed.models import VAEModel, draw_keys, own_columns

from .._estimate import Estimate
from .._rows import over_rows, varying
from .._thresholds import COVERAGE, MIXED, OPEN, SOUND, Verdict
from ..variance.affine_units import unit_of
from .coverage import LEVELS, Coverage, coverage_of, draw, ranks, tally
from .crps import CRPS, crps_of, fair_crps
from .imputation_chain import CHAINS, check_independent, complete

# The predictive distribution, and the source of z.
_LATENTS = {"reconstruction": "posterior", "prior": "prior", "features": "given features"}
_NINETY = LEVELS.index(COVERAGE.ideal)


@dataclasses.dataclass(frozen=True, eq=False)
class Calibration:
    """Coverage with its PIT histogram, and CRPS; ``print`` it for a table and a verdict.

    Examples
    --------
    >>> from wellposed.evaluation import calibration
    >>> found = calibration(model, X, key=key)
    >>> isinstance(found, Calibration), found.coverage.n_rows
    (True, 150)
    """

    given: str  # "reconstruction", "prior" or "features"
    coverage: Coverage  # its histogram is that of the PIT, from ranks
    crps: CRPS
    n_hidden: int | None = None  # features hidden in each row
    acceptance: float | None = None  # share of the chains' proposals that were accepted
    mixing: float | None = None  # R̂ of the chains of hidden features: 1 if they have mixed

    @property
    def judgement(self) -> Verdict:
        """Verdict by the coverage at 90 %: "sound", "caution", "open" or "fault".

        It is "open" if there are too few rows, the coverage is not finite, or the chains have
        not mixed.
        """
        mixed = self.mixing is None or self.mixing < MIXED
        return COVERAGE.verdict(self._ninety) if mixed else OPEN

    @property
    def statement(self) -> str:
        """The coverage at 90 % and what it means, in one sentence."""
        share, n = self._ninety, self.coverage.n_rows
        measured = f"Central 90 % intervals hold {share.value:.1%} ± {share.standard_error:.1%}"
        judgement = self.judgement
        if judgement == SOUND:
            return f"{measured}: calibrated, as far as {n} rows show."
        if judgement == OPEN and not self.is_off:
            return f"{measured}: {n} rows cannot tell whether the model is calibrated."
        side = "narrow" if share.value < COVERAGE.ideal else "wide"
        unsure = f"; {n} rows cannot tell whether by much" if judgement == OPEN else ""
        return f"{measured}: the intervals are too {side}{unsure}."

    @property
    def is_off(self) -> bool:
        """Whether the coverage at 90 % is wrong for certain, even if it is open by how much."""
        mixed = self.mixing is None or self.mixing < MIXED
        return mixed and COVERAGE.is_off(self._ninety)

    @property
    def verdict(self) -> str:
        """:attr:`statement`, followed by a remedy if the verdict is "caution" or "fault"."""
        if not self.is_off:
            return self.statement
        return f"{self.statement} {_REMEDIES[self.given]}"

    @property
    def _ninety(self) -> Estimate:
        share, error = self.coverage.coverage, self.coverage.standard_error
        return Estimate(float(share[_NINETY]), float(error[_NINETY]))

    def __str__(self) -> str:
        lines = [str(self.coverage), str(self.crps)]
        if self.mixing is not None:
            unmixed = ": the chains have not mixed, and the figures above are unreliable"
            doubt = "" if self.mixing < MIXED else unmixed
            lines.append(
                f"{self.n_hidden} features of each row hidden; chains accepted "
                f"{self.acceptance:.0%} of their proposals, R̂ {self.mixing:.3f}{doubt}"
            )
        return "\n".join([*lines, self.verdict])


_REMEDIES = {
    "reconstruction": "recalibrate() on held-out rows fits a scale to the noise of each feature.",
    "prior": "The marginals of p(x) do not fit: see variance_split() and prior_mismatch().",
    "features": "The dependence between features does not fit: try more latents or a wider noise.",
}


def calibration(
    model: VAEModel,
    rows: ArrayLike,
    *,
    key: PRNGKey,
    given: str = "reconstruction",
    n_draws: int = 99,
    share: float = 0.25,
) -> Calibration:
    r"""Compare the rows with draws from one of a model's predictive distributions.

    "reconstruction" draws x given z ~ q(z | x), where z depends on x. "prior" draws x given
    z ~ p(z), and judges the marginal of each feature. "features" hides features of each row at
    random and draws them given the others, x_mis ~ p(x_mis | x_obs); of the three, only this is a
    prediction of unseen values.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units; at least one feature must vary over them
    key : PRNG key of the draws, the ties and the hidden features
    given : "reconstruction", "prior" or "features"
    n_draws : s ≥ 2, draws per row; 99 of "features" cost a few thousand network passes
    share : of the varying features, hidden by "features" in each row; at least one, and not all

    Raises
    ------
    SettingError
        If a setting is out of range; for "features", also if the noise has features that depend
        on each other given z.
    DataError
        If no feature varies; for "features", if fewer than two vary.

    References: Dawid (1984), for the PIT; Gneiting & Raftery (2007), for CRPS; Mattei & Frellsen
    (2018), §4.2, for x_mis; Vehtari et al. (2021), for R̂.

    Examples
    --------
    >>> print(calibration(model, X, key=key).given)
    reconstruction
    """
    check_process()
    n_draws = check_count("n_draws", n_draws, "99 is a start.", low=2)
    if given not in _LATENTS:
        raise unknown_name("given", given, _LATENTS)
    rows = np.asarray(rows)
    varies = varying(own_columns(model, rows))
    n_hidden = None
    if given == "features":
        check_independent(model)
        n_hidden = _n_hidden(share, int(varies.sum()))
    record, chains, judged = _measure(model, rows, varies, given, n_draws, n_hidden, key=key)
    if chains is None:
        return record
    return dataclasses.replace(
        record,
        n_hidden=n_hidden,
        acceptance=float(chains[0].mean()),
        mixing=_mixing(chains[1], chains[2], judged, -(-n_draws // CHAINS)),
    )


def _measure(
    model: VAEModel,
    rows: np.ndarray,
    varies: np.ndarray,
    given: str,
    n_draws: int,
    n_hidden: int | None,
    *,
    key: PRNGKey,
) -> tuple[Calibration, Any, np.ndarray]:
    """Return the record, diagnostics of the chains and the judged entries, in one pass."""
    fixed, numbers = (model, varies, np.asarray(n_hidden or 0)), n_draws * rows.shape[1]
    settings = {"given": given, "n_draws": n_draws}
    inside, shares, scores, judged, chains = over_rows(
        _score, fixed, rows, key=key, numbers=numbers, distinct=True, **settings
    )
    own = own_columns(model, rows)
    record = Calibration(
        given,
        coverage_of(inside, shares, varies, n_draws=n_draws, latents=_LATENTS[given]),
        crps_of(own, scores, judged, unit_of(model, own.shape[1])),
    )
    return record, chains, judged


def _n_hidden(share: float, n_varying: int) -> int:
    remedy = "It is the share of the features that are hidden; 0.25 is usual."
    share = check_number("share", share, remedy, above=0, below=1)
    if n_varying < 2:
        raise DataError(
            'given="features" needs at least two features that vary, one to hide and one to '
            f'predict it from; got {n_varying}. Use given="reconstruction" or "prior".'
        )
    return min(max(round(share * n_varying), 1), n_varying - 1)


def _score(
    fixed: tuple[VAEModel, Tree, Tree], x: Point, *, key: PRNGKey, given: str, n_draws: int
) -> tuple:
    model, varies, n_hidden = fixed
    inferred, keys = model.infer(x, key=key), draw_keys(key, 4)
    latent_key, noise_key, tie_key, hide_key = keys
    chains, judged = None, varies
    if given != "features":
        draws = draw(model, inferred.q, _LATENTS[given], n_draws, keys=(latent_key, noise_key))
    else:
        judged = _hidden(varies, n_hidden, key=hide_key)
        done = complete(model, inferred.y, judged, n_draws=n_draws, key=noise_key)
        draws, chains = done.draws, (done.acceptance, done.within, done.between)
    inside, shares = tally(ranks(inferred.y, draws, key=tie_key), judged)
    scores = fair_crps(x, jax.vmap(model.transform.inverse)(draws))
    return inside, shares, scores, judged, chains


def _hidden(varies: jax.Array, n_hidden: jax.Array, *, key: PRNGKey) -> jax.Array:
    """Mark ``n_hidden`` of the varying features, at random."""
    order = jnp.where(varies, jax.random.uniform(key, varies.shape), 2.0)
    return jnp.argsort(jnp.argsort(order)) < n_hidden


def _mixing(within: np.ndarray, between: np.ndarray, judged: np.ndarray, kept: int) -> float:
    """Return R̂ = √((1 − 1/m) + B/W) of chains of m draws, averaged over hidden features."""
    if kept < 2:
        return float("nan")
    inside, across = (np.where(judged, part, 0.0).sum(axis=0) for part in (within, between))
    defined = inside > 0
    return float(np.sqrt(1 - 1 / kept + across[defined] / inside[defined]).mean())
