"""Expectation maximisation of a mixture of probabilistic PCAs."""

import numpy as np
from threadpoolctl import threadpool_limits

from wellposed.models import MixturePPCAModel, gaps, optimum, weighted_spectrum

from .._outcome import Outcome
from .plan import LinearPlan, LinearRun, iterate

_SMALL = 400  # features up to which one thread is faster than several that wait for each other


def mixture_em(
    values: np.ndarray,
    start: MixturePPCAModel,
    plan: LinearPlan,
    *,
    log_det: float = 0.0,
    progress: bool | str = "auto",
) -> LinearRun[MixturePPCAModel]:
    r"""Raise the likelihood of a mixture of probabilistic PCAs by expectation maximisation.

    With the responsibilities r_i(x) = p(i | x) as weights of the rows, each component becomes the
    pPCA of maximum likelihood: their mean, and the closed form for their covariance. So each
    iteration maximises over all parameters at once, and the likelihood never falls. A component
    with fewer rows than its directions need is removed, which can lower it.

    Parameters
    ----------
    values : rows of shape (n, d), model units; NaN is an ignorable gap, see
        :func:`wellposed.models.gaps.mixture`
    start : the mixture before the first iteration
    plan : of its settings, ``floor``, ``max_iter`` and ``tol`` are used
    log_det : mean log |det dT/dx| of the rows, nats, which the objective contains
    progress : "auto" (on a terminal), True or False; a progress bar

    Raises
    ------
    UnboundedLikelihoodError
        If a component's rows have no variance outside its directions, and there is no floor.

    References: Tipping & Bishop (1999), Mixtures of probabilistic principal component analysers,
    appendix C.

    Examples
    --------
    >>> from wellposed.models import MixturePPCAModel
    >>> from wellposed.training import LinearPlan
    >>> start = MixturePPCAModel(np.log([0.5, 0.5]), X[[0, 100]], np.ones((2, 4, 1)), np.ones(2))
    >>> mixture_em(X, start, LinearPlan()).outcome.value
    'converged'
    """
    k = start.weight.shape[2]
    if np.isnan(values).any():
        return _with_gaps(values, start, plan, log_det)

    def step(model: MixturePPCAModel) -> tuple[MixturePPCAModel, float]:
        joint = model.joint_log_density(values)
        log_p = np.logaddexp.reduce(joint, axis=1)
        reached = mixture_of(values, np.exp(joint - log_p[:, None]), k, plan.floor)
        return reached, float(log_p.mean()) + log_det

    with threadpool_limits(limits=1 if values.shape[1] <= _SMALL else None):
        return iterate(step, start, plan, _in_order, progress)


def _with_gaps(
    values: np.ndarray, start: MixturePPCAModel, plan: LinearPlan, log_det: float
) -> LinearRun[MixturePPCAModel]:
    fewest = fewest_rows(values.shape[1], start.weight.shape[2])
    fit = gaps.mixture(
        values, start, floor=plan.floor, fewest=fewest, max_iter=plan.max_iter, tol=plan.tol
    )
    outcome = Outcome.converged if fit.converged else Outcome.budget_spent
    return LinearRun(fit.model, fit.objective + log_det, outcome)


def mixture_of(
    values: np.ndarray, shares: np.ndarray, n_components: int, floor: float
) -> MixturePPCAModel:
    """Return the mixture that maximises the likelihood of rows with given responsibilities.

    Parameters
    ----------
    values : rows of shape (n, d), model units
    shares : responsibilities, shape (n, m). A component is left out if their sum is less than the
        rows that leave a residual, min(k, d − 1) + 2; the largest remains
    n_components : number of latents, k
    floor : smallest noise standard deviation, model units

    Examples
    --------
    >>> rows = np.array([[0.0], [2.0], [4.0], [90.0], [91.0], [92.0]])
    >>> mixture_of(rows, np.repeat(np.eye(2), 3, axis=0), 1, 0.0).mean.ravel().tolist()
    [2.0, 91.0]
    """
    counts = shares.sum(axis=0)
    kept = counts >= fewest_rows(values.shape[1], n_components)
    kept[counts.argmax()] = True
    points = [
        optimum(weighted_spectrum(values, share, n_components), n_components, floor=floor).model
        for share in shares.T[kept]
    ]
    return MixturePPCAModel(
        log_weights=np.log(counts[kept] / counts[kept].sum()),
        mean=np.stack([point.mean for point in points]),
        weight=np.stack([point.weight for point in points]),
        noise_variance=np.array([point.noise_variance for point in points]),
    )


def fewest_rows(n_features: int, n_components: int) -> int:
    """Rows below which a component has no residual: as many as its directions, its mean and one.

    Parameters
    ----------
    n_features, n_components : d and k
    """
    return min(n_components, n_features - 1) + 2


def _in_order(model: MixturePPCAModel) -> MixturePPCAModel:
    """Sort the components by falling weight."""
    order = np.argsort(-model.log_weights, kind="stable")
    return MixturePPCAModel(
        model.log_weights[order],
        model.mean[order],
        model.weight[order],
        model.noise_variance[order],
    )
