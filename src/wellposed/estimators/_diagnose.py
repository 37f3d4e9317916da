"""What a fitted model suffers from, and what to change."""

from typing import Any

import numpy as np

from wellposed import evaluation
from wellposed._errors import SettingError

from ._vae import VAE
from .data.rows import opened


def diagnose(model: VAE, X: Any, X_train: Any = None) -> evaluation.Diagnosis:
    """Diagnose a fitted VAE: is it any good, which part fails, why, and what to change.

    Each question gets a verdict, the figures behind it, and a remedy, causes before their
    consequences:

    - is the density bounded, in data units, and its noise that of the training;
    - can q(z|x) be as narrow as it likes, and was it trained with the KL's weight at one;
    - is σ² the mean squared residual (the variance split);
    - is the decoder overfitted; does q(z) match p(z); have latents died that could live;
    - is p(x|z) calibrated, and can importance sampling say what log p(x) is.

    Parameters
    ----------
    model : fitted :class:`wellposed.VAE`
    X : array-like or frame of shape (n, d), or a path: rows held out from training, 20 or more;
        some 2,000 are used
    X_train : rows of the training; without them overfitting and a refitted σ² stay open

    Returns
    -------
    :class:`wellposed.evaluation.Diagnosis`: ``print`` it, show it in a notebook, or take
    ``to_dict()`` or ``to_html()``

    Raises
    ------
    SettingError
        For a model that is no VAE.
    DataError
        For too few rows, or rows that the model has no place for.

    Examples
    --------
    >>> import wellposed as wp
    >>> X = wp.datasets.load_digits().values
    >>> X = X[:, X[:600].std(axis=0) > 0]  # some pixels never vary
    >>> grey = {"noise": 64.0, "transform": "identity"}
    >>> vae = wp.VAE(4, **grey, hidden=(32,), max_epochs=20, random_state=0).fit(X[:600])
    >>> wp.diagnose(vae, X[600:1000], X[:600]).faults[0].fault
    'the noise variance is too large'
    """
    if not isinstance(model, VAE):
        raise SettingError(
            f"diagnose takes a fitted wellposed.VAE; got {type(model).__name__}. PPCA and "
            "LinearVAE are exact: compare their score() and noise_variance_; for a loss of "
            "another framework use wellposed.audit."
        )
    X, X_train = opened(X)[0], None if X_train is None else opened(X_train)[0]
    rows, family = model._rows(X), type(model.model_.noise).__name__
    train = None if X_train is None else model._rows(X_train)
    return evaluation.diagnose(
        model.model_,
        rows,
        train=train,
        key=model._key("score"),
        name=f"a VAE of {model.n_components} latents with {family} noise",
        forecast=(lambda: model.forecast(X if X_train is None else X_train))
        if np.all(np.asarray(model.noise_variance_) > 0)
        else None,
    )
