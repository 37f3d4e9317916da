"""IS_5000 with a proposal refined for each image, from rows on the host to records on the host."""

from collections.abc import Callable

from benchmarks.cases import IMPORTANCE_DRAWS, IMPORTANCE_ROWS, Case


def train(case: Case, turn: Callable[[], None]) -> None:
    """Score until stopped."""
    import jax

    from benchmarks.judge.models import initial_model
    from wellposed import evaluation

    rows, model = case.data()[:IMPORTANCE_ROWS], initial_model("gaussian")
    while True:
        evaluation.log_likelihood(
            model, rows, n_samples=IMPORTANCE_DRAWS, key=jax.random.key(0), proposal="refined"
        )
        turn()
