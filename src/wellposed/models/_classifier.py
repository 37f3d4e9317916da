"""A classifier and its features."""

from collections.abc import Callable

import equinox as eqx
from jaxtyping import Array, Float

from wellposed._typing import Point, Scalar
from wellposed.nn import Linear, activate


class Classifier(eqx.Module):
    r"""p(class | x) = softmax(W h(x) + b), for one datum in data units.

    .. math:: h(x) = a(\text{body}((x - \ell)/r))

    with ℓ the smallest value of the training data, r their range and a the activation. See
    :func:`wellposed.training.fit_classifier`.

    Parameters
    ----------
    body : network (d,) → (f,)
    head : the last layer, W and b
    low, span : ℓ and r, data units
    classes : labels of the classes, in the order of the logits
    activation : name of a

    Examples
    --------
    >>> from wellposed.training import fit_classifier
    >>> classifier = fit_classifier(X, kind, key=key, max_epochs=2)
    >>> isinstance(classifier, Classifier), classifier.logits(X[0]).shape
    (True, (3,))
    """

    body: Callable
    head: Linear
    low: Scalar
    span: Scalar
    classes: tuple[int | str, ...] = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def features(self, x: Point) -> Float[Array, " f"]:
        """h(x), the input of the last layer, shape (f,)."""
        return activate(self.activation, self.body((x - self.low) / self.span))

    def logits(self, x: Point) -> Float[Array, " c"]:
        """Log p(class | x) up to a constant, shape (c,), in the order of ``classes``."""
        return self.head(self.features(x))
