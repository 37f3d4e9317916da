"""The exact models against an oracle in extended precision, on directions of very unlike spread."""

import numpy as np
import pytest

import wellposed as wp

LONG = np.longdouble
RNG = np.random.default_rng(0)
pytestmark = [
    pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning"),
    pytest.mark.skipif(np.finfo(LONG).eps > 1e-18, reason="longdouble is float64 here"),
]


def singular(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Singular values and right vectors by Jacobi rotations of the columns, in longdouble."""
    a, v = rows.copy(), np.eye(rows.shape[1], dtype=LONG)
    for _ in range(30):
        most = LONG(0)
        for i in range(a.shape[1]):
            for j in range(i + 1, a.shape[1]):
                x, y = a[:, i] @ a[:, i], a[:, j] @ a[:, j]
                cross = a[:, i] @ a[:, j]
                if cross == 0 or x == 0 or y == 0:
                    continue
                most = max(most, abs(cross) / np.sqrt(x * y))
                t = (y - x) / (2 * cross)
                t = (1 if t >= 0 else -1) / (abs(t) + np.sqrt(1 + t * t))
                c = 1 / np.sqrt(1 + t * t)
                turn = np.array([[c, c * t], [-c * t, c]], LONG)
                a[:, [i, j]] = a[:, [i, j]] @ turn
                v[:, [i, j]] = v[:, [i, j]] @ turn
        if most < 1e-17:
            break
    sizes = np.sqrt((a * a).sum(axis=0))
    order = np.argsort(-sizes)
    return sizes[order], v[:, order]


def oracle(X: np.ndarray, k: int) -> np.ndarray:
    """log p(x) of pPCA at its maximum, of each row."""
    rows = X.astype(LONG)
    rows = rows - rows.mean(axis=0)
    n, d = rows.shape
    if n > d:
        sizes, v = singular(rows)
    else:
        sizes, u = singular(rows.T.copy())
        v = (rows.T @ u)[:, : n - 1] / sizes[: n - 1]
        sizes = sizes[: n - 1]
    values = sizes**2 / n
    variance = values[k:].sum() / (d - k)
    z = rows @ v[:, :k]
    rest = rows - z @ v[:, :k].T
    quadratic = (z**2 / values[:k]).sum(axis=1) + (rest**2).sum(axis=1) / variance
    log_det = np.log(values[:k]).sum() + (d - k) * np.log(variance)
    return (-(quadratic + log_det + d * np.log(2 * LONG(np.pi))) / 2).astype(float)


def turned(n: int, d: int, condition: float) -> np.ndarray:
    """Rows whose covariance has this condition, its directions turned at random."""
    scales = np.geomspace(1.0, condition**-0.5, min(n - 1, d))
    basis = np.linalg.qr(RNG.normal(size=(d, d)))[0][: len(scales)]
    return (RNG.normal(size=(n, len(scales))) * scales) @ basis


@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize(("n", "d"), [(60, 5), (8, 12)])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e6, 1e9, 1e12])
def test_log_p_is_right_up_to_a_condition_of_a_million_million(condition, n, d, offset):
    X = turned(n, d, condition) + offset
    k = 2
    exact = oracle(X, k)
    allowed = 1e-6 if condition > 1e6 else 1e-10
    for model in (wp.PPCA(k, resolution=0), wp.LinearVAE(k, resolution=0, random_state=0)):
        found = model.fit(X).score_samples(X)
        np.testing.assert_allclose(found, exact, rtol=allowed, atol=allowed)
    assert model.elbo_ == pytest.approx(exact.mean(), rel=max(allowed, 1e-9))


@pytest.mark.parametrize("offset", [0.0, 1.7e9])
@pytest.mark.parametrize("spread", [1e2, 1e5, 1e7, 1e9])
def test_columns_of_unlike_units_need_no_rescaling(spread, offset):
    """Seconds beside small numbers: the condition of the covariance is 10¹⁹ at the last."""
    t = np.arange(200) / 200 - 0.5
    noise = 0.1 * RNG.normal(size=(2, 200))
    X = np.column_stack([offset + spread * t, 4 * t + noise[0], -4 * t + noise[1]])
    exact = oracle(X, 1)
    for model in (wp.PPCA(1), wp.LinearVAE(1, random_state=0)):
        np.testing.assert_allclose(model.fit(X).score_samples(X), exact, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("model", [wp.PPCA(3), wp.LinearVAE(3, random_state=0)])
def test_what_float64_does_not_tell_is_refused_with_the_columns_and_the_remedy(model):
    X = turned(60, 4, 1e24)
    model.set_params(resolution=0)
    with pytest.raises(wp.DataError, match=r"Feature \d has the standard deviation .*columns"):
        model.fit(X)


def test_a_covariance_that_has_lost_the_noise_is_refused_and_the_rows_themselves_are_not():
    X = turned(60, 4, 1e12)
    with pytest.raises(wp.DataError, match='"auto"'):
        wp.PPCA(3, svd_solver="covariance_eigh", resolution=0).fit(X)
    wp.PPCA(3, resolution=0).fit(X)


@pytest.mark.parametrize("solver", ["fixed_point", "gradient", "accelerated"])
def test_solvers_agree_where_the_covariance_is_well_conditioned(solver):
    X = turned(60, 5, 100.0)
    vae = wp.LinearVAE(2, solver=solver, random_state=0, tol=1e-13, max_iter=3000).fit(X)
    assert vae.score(X) == pytest.approx(oracle(X, 2).mean(), rel=1e-6)
