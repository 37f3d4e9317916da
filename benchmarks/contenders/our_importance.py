"""IS_5000 through ``evaluation.log_likelihood``, from rows on the host to records on the host."""

from collections.abc import Callable

from benchmarks.cases import IMPORTANCE_DRAWS, IMPORTANCE_ROWS, Case


def train(case: Case, turn: Callable[[], None]) -> None:
    """Score for ever."""
    import jax

    from benchmarks.judge.models import untrained
    from wellposed import evaluation

    rows, model = case.data()[:IMPORTANCE_ROWS], untrained("gaussian")
    while True:
        evaluation.log_likelihood(model, rows, n_samples=IMPORTANCE_DRAWS, key=jax.random.key(0))
        turn()
