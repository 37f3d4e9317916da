"""What a training of VAE takes: the training, and the rows that it trains and holds out."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from wellposed import training
from wellposed._errors import SettingError

from ._build import member_of
from ._fitted import Fitted
from ._prepare import prepare
from ._settings import settings_of
from ._words import Rows
from .data.rows import open_table
from .data.weights import check_weights, repeat_rows


@dataclasses.dataclass(frozen=True, eq=False)
class Ready:
    """A training, checked and ready to start.

    Parameters
    ----------
    member : training.Member
    data : array of shape (n + m, d), the rows given to train on, then those given to hold out
    n : number of rows given to train on
    """

    member: training.Member
    data: np.ndarray
    n: int

    @property
    def rows(self) -> np.ndarray:
        """Rows given to train on, shape (n, d)."""
        return self.data[: self.n]

    @property
    def typical(self) -> np.ndarray:
        """These rows repeated by their weights, shape (n, d)."""
        weights = self.member.weights
        return self.rows if weights is None else repeat_rows(self.rows, weights[: self.n])


def make_ready(vae: Fitted, X: Rows, sample_weight: ArrayLike | None, X_val: Rows | None) -> Ready:
    """Check what can be checked before a training, and build the model.

    Rows of weight zero are left out; weights are scaled to the mean 1.

    Parameters
    ----------
    vae : estimator, which gets the attributes that describe the data
    X, sample_weight, X_val : as :meth:`wellposed.VAE.fit` takes them

    Raises
    ------
    DataError, SettingError
        As :func:`prepare` and :func:`check_weights`; for folds beside rows to hold out.
    """
    settings = settings_of(vae)
    if X_val is not None and settings["validation_folds"] not in ("auto", 0):
        raise SettingError(
            "X_val are the rows that choose the epoch, and folds choose it in another way; got "
            f"X_val with validation_folds={settings['validation_folds']}. Leave one of them out."
        )
    table = open_table(X)
    weights = check_weights(sample_weight, len(table.values))
    if weights is not None:
        table.check_finite()  # rows of weight zero included
        table, weights = table.take(weights > 0), weights[weights > 0]
        weights = weights / weights.mean()
    rows, model = prepare(vae, table, holds_out=X_val is None, weights=weights)
    data, held, n = rows, None, len(rows)
    if X_val is not None:
        further = vae.rows_of(model, X_val, to_train=True)
        data, held = np.concatenate([rows, further]), np.arange(n, n + len(further))
        weights = None if weights is None else np.append(weights, np.ones(len(further)))
    settings["image_shape"] = vae.image_shape_
    member = member_of(settings, model, n, key=vae.key("fit"), held=held, weights=weights)
    return Ready(member, data, n)
