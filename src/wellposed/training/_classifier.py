"""A small classifier, whose features measure the quality of samples."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.typing import ArrayLike

from wellposed import nn
from wellposed._checks import check, or_word, whole
from wellposed._compiled import compiled
from wellposed._errors import DataError, SettingError
from wellposed._forks import check_process
from wellposed._typing import Data, PRNGKey, Scalar, Tree
from wellposed.models import Classifier
from wellposed.numerics import scalar, weighted_mean
from wellposed.transforms import check_finite

from ._epoch import TrainState, initial_state, over_batches, steps_in
from ._optimiser import Rates, adam, move_weights
from ._plan import Plan
from ._rows import Rows, pad_rows

_CHANNELS, _HIDDEN = (16, 32), (512,)
_ACTIVATION = "relu"


def fit_classifier(
    X: ArrayLike,
    y: ArrayLike,
    *,
    key: PRNGKey,
    image_shape: Sequence[int] | None = None,
    n_features: int = 128,
    max_epochs: int = 10,
    batch_size: int | str = "auto",
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-2,
) -> Classifier:
    """Train a classifier by maximum likelihood, by AdamW with a rate that decays to zero.

    With an image's shape it has two strided convolutions and one layer, else two layers.

    Parameters
    ----------
    X : array of shape (n, d), data units, any real dtype
    y : array of shape (n,), the class of each row: whole numbers or words
    key : PRNG key of the weights and of the order of the rows
    image_shape : (H, W) or (H, W, C), sides of 4 pixels or more
    n_features : int, width of the layer whose activations are the features
    max_epochs, learning_rate, weight_decay : see :class:`Plan`
    batch_size : rows a step; "auto" is 128, and less for small tables, down to 16, so that an
        epoch has some hundred steps

    Raises
    ------
    DataError
        If the rows are not finite numbers, or have not one label each, of two classes or more.
    SettingError
        If a number is out of range, the image's shape does not fit the rows, or the training
        turned non-finite.

    Examples
    --------
    >>> from wellposed import datasets
    >>> digits = datasets.load_digits()
    >>> classifier = fit_classifier(
    ...     digits.values, digits.labels, key=jax.random.key(0), image_shape=(8, 8), max_epochs=2
    ... )
    >>> classifier.features(jnp.zeros(64)).shape
    (128,)
    """
    check_process()
    rows, classes, labels = _check(X, y)
    size = _batch_size(batch_size, len(rows))
    plan = Plan(size, max_epochs, learning_rate, weight_decay)
    weight_key, order_key = jax.random.split(key)
    start = _build(rows, classes, n_features, image_shape, key=weight_key)
    trained, value = _train(start, rows, labels, plan, key=order_key)
    if not np.isfinite(value):
        raise SettingError(
            f"The classifier's log likelihood must stay finite; it became {float(value)}. Lower "
            f"learning_rate, which was {learning_rate}."
        )
    return trained


def _batch_size(given: int | str, n: int) -> int:
    given = check("batch_size", given, or_word("auto", whole()))
    wanted = max(16, n // 100) if isinstance(given, str) else given
    return min(128 if isinstance(given, str) else n, wanted, n)


def _check(X: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, tuple[int | str, ...], np.ndarray]:
    """Return the rows, the sorted classes, and the index of each row's class."""
    rows, given = np.asarray(X), np.asarray(y)
    if rows.ndim != 2 or given.shape != rows.shape[:1]:
        raise DataError(
            f"There must be one label a row; got rows of shape {rows.shape} and labels of shape "
            f"{given.shape}. Pass X of shape (n, d) and y of shape (n,)."
        )
    check_finite(rows)
    classes, labels = np.unique(given, return_inverse=True)
    if len(classes) < 2 or classes.dtype.kind not in "iubU":
        raise DataError(
            f"Labels must be whole numbers or words, of two classes or more; got {len(classes)} of "
            f"dtype {classes.dtype}. Convert them first, or add rows of another class."
        )
    words = classes.dtype.kind == "U"
    return rows, tuple(str(c) if words else int(c) for c in classes), labels


def _build(
    rows: np.ndarray,
    classes: tuple[int | str, ...],
    n_features: int,
    image_shape: Sequence[int] | None,
    *,
    key: PRNGKey,
) -> Classifier:
    body_key, head_key = jax.random.split(key)
    make: nn.MakeNetwork = nn.MakeMLP(_HIDDEN, _ACTIVATION)
    if image_shape is not None:
        make = nn.MakeConvEncoder(tuple(image_shape), _CHANNELS, activation=_ACTIVATION)
    low, high = float(rows.min()), float(rows.max())
    return Classifier(
        body=make(rows.shape[1], n_features, key=body_key),
        head=nn.MakeMLP(())(n_features, len(classes), key=head_key).layers[0],
        low=scalar(low),
        span=scalar(high - low if high > low else 1.0),
        classes=classes,
        activation=_ACTIVATION,
    )


def _train(
    start: Classifier, rows: np.ndarray, labels: np.ndarray, plan: Plan, *, key: PRNGKey
) -> tuple[Classifier, Scalar]:
    """Train for all epochs; return the mean log likelihood of the last one too, in nats."""
    params, fixed = eqx.partition(start, _weights(start))
    state = initial_state(params)
    rates = Rates.of(plan, steps_in(len(rows), plan.batch_size))
    data, targets = jax.device_put((pad_rows(rows), pad_rows(labels)))
    places, value = Rows.of(np.arange(len(rows))), scalar(0.0)
    for epoch in range(plan.max_epochs):
        state, value = _epoch(
            state,
            fixed,
            data,
            targets,
            places,
            rates,
            batch_size=plan.batch_size,
            key=jax.random.fold_in(key, epoch),
        )
    return eqx.combine(state.params, fixed), value


def _weights(classifier: Classifier) -> Tree:
    """Mask of the leaves to train: the networks, without the range of the data."""
    return eqx.tree_at(
        lambda c: (c.body, c.head),
        jax.tree.map(lambda _: False, classifier),
        jax.tree.map(eqx.is_inexact_array, (classifier.body, classifier.head)),
    )


@compiled
def _epoch(
    state: TrainState,
    fixed: Tree,
    data: Data,
    labels: Int[Array, " n"],
    rows: Rows,
    rates: Rates,
    *,
    batch_size: int,
    key: PRNGKey,
) -> tuple[TrainState, Scalar]:
    """Visit every row once, in random order; return the mean log likelihood too, in nats."""

    def step(
        state: TrainState, chosen: Array, weight: Array, key: PRNGKey
    ) -> tuple[TrainState, Array]:
        del key

        def rise(params: Tree) -> Scalar:
            x = data[chosen].astype(jnp.result_type(float))
            logits = jax.vmap(eqx.combine(params, fixed).logits)(x)
            return weighted_mean(_log_probability(logits, labels[chosen]), weight)

        value, gradient = jax.value_and_grad(rise)(state.params)
        direction: Any
        direction, memory = adam(gradient, state.memory)
        params = move_weights(state.params, direction, rates, state.step)
        return TrainState(params, memory, state.step + 1), value[None]

    order = rows.shuffled(key=key)
    state, values = over_batches(step, state, order, batch_size=batch_size, key=key, n_figures=1)
    return state, values.sum() / rows.steps(batch_size).astype(values.dtype)


def _log_probability(
    logits: Float[Array, "batch c"], labels: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Log softmax at the label, in nats."""
    return jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]
