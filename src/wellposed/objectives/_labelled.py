"""The bound of data of which some have a label, and the log probability of the labels."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from wellposed._typing import Covariates, Data, Point, PRNGKey, Scalar
from wellposed.models import labelled
from wellposed.numerics import on_device, scalar

from ._abstract import AbstractObjective, Evaluation, evaluation
from ._terms import ElboTerms, terms_at_draw

_LEAST = 16  # places for labelled rows: their number rounded up, so that programs are shared


class LabelledELBO(AbstractObjective):
    r"""Bound of log p(x, y) or of log p(x), and α log q(y | x) for each row with a label.

    .. math::
        -L(x, y) &= E_{q(z|x,y)} \log p(x \mid y, z) + \log p(y) - KL(q(z|x,y) \| p(z)) \\
        -U(x) &= \sum_y q(y|x) \, (-L(x, y)) + H(q(y|x)) \\
        J &= \sum_\text{labelled} \bigl(-L(x, y) + \alpha \log q(y|x)\bigr)
             + \sum_\text{others} -U(x)

    The sum over classes is exact: each class has its own pass through both networks, and the
    decoder never gets probabilities. α is the weight of one label, in units of the bound of one
    row, so that further rows without labels do not change it. A step visits a batch of all rows
    for the bounds, and ``n_drawn`` labelled rows, drawn without favour, for the last term; the
    expected gradient of a step is that of J over the number of rows. Of a model with an auxiliary
    variable a, all terms are expectations over q(a | x), and log p(a | x, y, z) − log q(a | x) is
    added to −L(x, y).

    Parameters
    ----------
    alpha : α ≥ 0
    places : positions of the labelled rows in the data, padded
    count : number of them
    weights : of their last terms, one a row, with mean 1; padded
    n_rows : number of rows that are trained on
    n_drawn : labelled rows a step

    References: Kingma, Rezende, Mohamed & Welling (2014), eqs 6-9. Their α is 0.1 times the number
    of rows, for the mean over the labels; spread over the labels it is 0.1 n/n_labelled each.
    Maaløe, Sønderby, Sønderby & Winther (2016), eqs 8-11, for a.

    Examples
    --------
    >>> print(LabelledELBO.of(np.array([0, 5, 9]), alpha=2.0, n_rows=100))
    LabelledELBO: the bound of each row, and 2 log q(y|x) for each of 3 labels
    """

    trains_noise: ClassVar[bool] = True
    refits_noise: ClassVar[bool] = False
    alpha: Scalar
    places: Int[Array, " bucket"]
    count: Int[Array, ""]
    weights: Float[Array, " bucket"]
    n_rows: Scalar
    n_drawn: int = eqx.field(static=True)

    @classmethod
    def of(
        cls,
        places: np.ndarray,
        *,
        alpha: float,
        n_rows: int,
        weights: np.ndarray | None = None,
        n_drawn: int = 128,
    ) -> "LabelledELBO":
        """Make the objective of labelled rows at some places of the data.

        Parameters
        ----------
        places : array of shape (l,), at least one
        alpha : α of one label
        n_rows : number of rows that are trained on, the labelled ones among them
        weights : array of shape (l,), of the labels; None weighs all alike
        n_drawn : most labelled rows a step; fewer labels than that are all drawn in each
        """
        n = len(places)
        size = max(_LEAST, 1 << (n - 1).bit_length())
        own = np.ones(n) if weights is None else weights
        return cls(
            scalar(alpha),
            jax.device_put(np.pad(np.asarray(places, np.int32), (0, size - n))),
            jax.device_put(np.asarray(n, np.int32)),
            on_device(np.pad(own, (0, size - n))),
            scalar(n_rows),
            min(size, n_drawn),
        )

    def __call__(
        self,
        model: labelled.LabelledVAE,
        x: Point,
        *,
        key: PRNGKey,
        annealing: Scalar | float = 1.0,
    ) -> Evaluation:
        """Evaluate at a row, a datum of shape (d,) in data units and then its label, or NaN."""
        return evaluation(labelled_terms(model, x, key=key), annealing)

    def beside(self, model: labelled.LabelledVAE, data: Data, *, key: PRNGKey) -> Scalar:
        """Return α/n Σ log q(y | x) over the labels, estimated by ``n_drawn`` of them."""
        draw_key, row_key = jax.random.split(key)
        place = jnp.arange(self.places.shape[0])
        words = jax.random.bits(draw_key, self.places.shape, jnp.uint32) >> 1
        words = jnp.where(place < self.count, words, jnp.uint32(0xFFFFFFFF))
        chosen = jnp.argsort(words, stable=True)[: self.n_drawn]
        inside = jnp.arange(self.n_drawn) < self.count

        def visit(row: Point, key: PRNGKey) -> Scalar:
            x, label = labelled.split_row(row)
            return model.log_q(x, label, key=key)

        rows = data[self.places[chosen]].astype(jnp.result_type(float))
        each = jax.vmap(visit)(rows, jax.random.split(row_key, self.n_drawn))
        kept = jnp.where(inside, each * self.weights[chosen], 0.0)
        return self.alpha * self.count / self.n_rows * kept.sum() / inside.sum()

    def implied_noise_variance(self) -> None:
        return None

    def __str__(self) -> str:
        return (
            f"LabelledELBO: the bound of each row, and {float(self.alpha):g} log q(y|x) for each "
            f"of {int(self.count)} labels"
        )


def labelled_terms(model: labelled.LabelledVAE, row: Point, *, key: PRNGKey) -> ElboTerms:
    """Return the terms of −L(x, y) for a row with a label, else of −U(x), nats and data units.

    Parameters
    ----------
    model : LabelledVAE
    row : a datum of shape (d,) in data units, and then its label, or NaN
    key : PRNG key

    Returns
    -------
    ElboTerms; the rate is that of z and y, and −log p(y) for a known y. With an auxiliary variable,
    of which there is one draw, log q(a | x) − log p(a | x, y, z) is added to the rate
    """
    x, label = labelled.split_row(row)
    first_key, key = jax.random.split(key)
    x = model.data_of(x, key=first_key)
    draw = model.draw_auxiliary(x, key=key)
    model = model.at_draw(draw)
    points = model.labels.points(model.output(x, key=key), label)

    def of_label(given: Covariates) -> ElboTerms:
        terms, z = terms_at_draw(model.vae.at(given), x, key=key)
        rate = terms.kl if draw is None else terms.kl + draw.rate(given, z)
        return ElboTerms(terms.log_likelihood, rate)

    each = jax.vmap(of_label)(points.given)
    return ElboTerms(points.weight @ each.log_likelihood, points.weight @ each.kl + points.rate)
