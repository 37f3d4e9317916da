"""The variational autoencoder as a scikit-learn estimator."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._set_output import _get_output_config

from wellposed import evaluation, models, serialise, sources, training
from wellposed._checks import Rule, boolean, one_of, optional, or_word, real, sizes, whole
from wellposed._errors import SettingError
from wellposed._forks import check_process

from ._build import objective_of, plan_of
from ._drawing import Drawing
from ._homonym import setting_and_method
from ._notices import warn_of_outcome
from ._prepare import prepare
from ._settings import settings_of
from ._train import mesh_of, trainer, weighted_table
from ._words import (
    FilePath,
    Gaps,
    Given,
    Method,
    Network,
    Noise,
    Objective,
    PriorSetting,
    Progress,
    Resolution,
    Rows,
    Seed,
    Transform,
)
from .data.rows import restore_on_failure
from .data.table import of_source_rows
from .data.weights import repeat_rows
from .streamed.dealt import spread
from .streamed.fit import fit_source
from .streamed.rows import check_no_covariates
from .streamed.score import by_row


@setting_and_method("transform")
class VAE(Drawing, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Variational autoencoder with a stated observation noise.

    By default it maximises the ELBO with β = 1 and a Gaussian whose noise variance is learned:

    .. math:: E_{q(z|x)} \log p(x \mid z) - KL(q(z|x) \| p(z)) \le \log p(x), \quad
       p(x \mid z) = N(\mu(z), \sigma^2), \; p(z) = N(0, I_k)

    Parameters
    ----------
    n_components : int or "auto"
        k, the number of latents; "auto" is d − 1, at most 20, at most n/15, and beyond 9 at
        most n/30. More latents than
        features are allowed, with a warning.
    noise : "auto", positive number, "shared", "feature", "conditional", a family, a noise object
        or a :class:`wellposed.Schema`
        The noise variance σ² of a Gaussian in model units: given; or learned, one for all
        features, one each, or a function of z. "auto" is "shared" where the features share a unit,
        as pixels do, and "conditional" elsewhere. Or another family: its name in
        ``wellposed.noise.FAMILIES``, or an object of :mod:`wellposed.noise`.
        A frame may have columns of text, categories, booleans, dates and times beside numbers:
        with "auto" each has the noise that :class:`wellposed.Schema` infers, or pass an edited one.
    prior : "standard", "aggregate", "mixture", "vamp", "flow" or a prior object
        p(z) of the model, which is sampled and scored. "standard" is N(0, I). Learned with the
        ELBO: "mixture", a mixture of Gaussians; "vamp", the mean of q(z | u) over learned
        pseudo-inputs u, see :class:`wellposed.latents.VampPrior`; "flow", see
        :class:`wellposed.latents.FlowPrior`, which needs ``pip install 'wellposed[flow]'``.
        "aggregate" is N(0, I) in training, which a mixture fitted to the codes then replaces where
        it gains, see :meth:`adopt_prior`. Or a :class:`wellposed.latents.AbstractPrior`
    n_prior_components : int or "auto"
        Components of "mixture", pseudo-inputs of "vamp"; "auto" is one for twenty rows, from 5 to
        30
    encoder, decoder : "mlp", "conv" or a maker ``make(n_in, n_out, *, key)``
    hidden : widths of the hidden layers of "mlp", from the data to the latents; the decoder has
        them in reverse
    activation : name of the activation
    image_shape : (H, W) or (H, W, C) of one datum; needed by "conv"
    transform : "auto", "standardize", "robust", "log", "log1p", "logit", "unit", "identity", a
        transform object, or one for some columns, {"income": "log"}, beside standardised ones.
        The map from data units to model units. Every reported density is in data units.
        "auto" follows the support of the noise: "standardize" for the real line ("robust" for
        heavy tails), "unit" for [0, 1], "identity" for whole numbers and amounts.
        "standardize" gives all features one scale where they share a unit: for images, and where
        all features take whole numbers over one range of at most 256 levels, whatever their type.
        ``one_scale_`` records the choice.
    objective : "elbo", "iwae", "squared_error" or an objective
    beta : weight of the KL; with a weight other than 1 the objective is not the ELBO
    n_importance : K of "iwae"
    batch_size : rows a step; "auto" is 128, or for small tables a smaller power of two, at least
        16, so that an epoch has twenty to forty steps
    learning_rate, weight_decay, clip_norm : see training.Plan
    max_epochs : int or "auto", which is 200 to 500, so that few rows have some 20,000 steps
    kl_warmup : epochs over which the KL's weight rises to its target; "auto" is 4 % of
        ``max_epochs``, rounded down, where noise or networks have no linear start, see
        ``linear_start``; else 0
    encoder_steps : maximum number of encoder-only updates before each decoder update
        (lagging-inference training, He et al. 2019); the phase ends when I(x; z) stops rising.
        0 disables it
    validation_fraction : share of rows held out to choose the best epoch on; 0 trains on all
    validation_folds : number of folds, of which each is held out once; the training on all rows
        ends at the average of their best epochs. 0 holds a share out instead. "auto" is 5 for
        tables of 10 to 499 rows, if ``max_epochs`` and ``patience`` are "auto", and else 0
    patience : epochs without a better held-out objective before stopping; "auto" is two
        fifths of ``max_epochs``, a tenth for images, at least 20; 20 with folds. None never stops
    resolution : "auto", number or array of shape (d,)
        The measurement's smallest step in data units. σ never falls below resolution/√12.
    checkpoint : file that makes the training resumable
    progress : "auto", True or False: a progress bar
    linear_start : start at the exact linear solution, probabilistic PCA or factor analysis, and
        train networks beside it; for "mlp" and "conv" and noise on the real line or of
        discretised values. Other networks and noise start as they are drawn
    devices : None, "all" or int
        Devices, of all processes together, that each batch is spread over; None is one, see
        :class:`wellposed.training.DataMesh` and the guide to large data
    shards : with ``devices``, the parts of a batch: a power of two and a multiple of ``devices``
    precision : "float32" or "bfloat16", of the products of fully connected layers in the steps of
        the training; see :class:`wellposed.training.Plan`
    ema_decay : decay a step of the exponential moving average of the parameters, which is what is
        evaluated and kept; 0 keeps the parameters themselves
    allow_unbounded : train a model whose likelihood has no maximum
    missing : None, "ignorable", "self-masking", "self-masking-high" or "self-masking-low"
        None refuses rows with missing entries (NaN, None, pandas.NA, masked). "ignorable" trains
        and scores the observed entries, all others integrated out, see
        :class:`wellposed.noise.Ignorable`: right where what is missing depends on observed entries
        alone. A row without an observed entry has log p(x) = 0. "self-masking": an entry is missing
        for its own value, see :class:`wellposed.noise.SelfMasking`, a high one or a low one where
        that is known; log p then is of the observed entries and of which are missing
    covariates : list of names or positions of columns, or None
        Columns of X that the model is given and does not model: p(x | z, c) and q(z | x, c).
        Numbers are standardised; texts, categories and booleans have an indicator for each level.
        Or a mapping of names to "number" or "category". X has these columns in every call
    random_state : int, RandomState or None

    Attributes
    ----------
    model_ : the trained :class:`wellposed.models.VAEModel`
    noise_variance_ : float or array of shape (d,), σ² in model units
    history_ : dict of arrays, one entry an epoch
    outcome_ : :class:`wellposed.training.Outcome`
    n_epochs_ : epochs trained
    best_epoch_ : number of the epoch that ``model_`` is of, from 1; 0 is the start, on which no
        epoch improved; None for files of versions that did not record it
    n_components_ : k, the number of latents
    n_features_in_ : d, the number of columns that the model has, covariates not counted
    covariates_ : :class:`wellposed.tables.Covariates`, what the model is given; None without
    schema_ : :class:`wellposed.Schema`, what each column of a frame was taken for; None for other
        data, and where ``noise`` is neither "auto" nor a schema
    feature_names_in_ : names of the features, where the data name them
    one_scale_ : whether "standardize" gave all features one scale; None for other transforms
    offset_ : array of shape (d,), subtracted from each row in float64 before the model computes,
        and added to its output: the median of a column too far from zero for float32, such as
        Unix time; zero for other columns
    prior_gain_ : gain of the mixture last fitted to the codes; see :meth:`adopt_prior`

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> vae = VAE(n_components=1, max_epochs=20, random_state=0, hidden=(8,)).fit(X)
    >>> vae.transform(X).shape
    (100, 1)
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        "n_components": or_word("auto", whole()),
        "hidden": sizes(),
        "image_shape": optional(sizes()),
        "beta": real(low=0),
        "n_importance": whole(),
        "batch_size": or_word("auto", whole()),
        "learning_rate": real(above=0),
        "weight_decay": real(low=0),
        "max_epochs": or_word("auto", whole()),
        "kl_warmup": or_word("auto", whole(0)),
        "encoder_steps": whole(0),
        "validation_fraction": real(low=0, below=1),
        "validation_folds": or_word("auto", whole(0)),
        "patience": or_word("auto", optional(whole())),
        "clip_norm": optional(real(above=0)),
        "progress": or_word("auto", boolean()),
        "n_prior_components": or_word("auto", whole()),
        "linear_start": boolean(),
        "ema_decay": real(low=0, below=1),
        "allow_unbounded": boolean(),
        "missing": optional(one_of(get_args(Gaps))),
        "devices": optional(or_word("all", whole())),
        "shards": whole(),
        "precision": one_of(training.PRECISIONS),
    }

    _file_state: ClassVar[tuple[str, ...]] = (
        "n_features_in_",
        "n_epochs_",
        "best_epoch_",
        "image_shape_",
        "_seed",
        "offset_",
        "noise_variance_",
        "history_",
        "_prior_gain",
        "schema_",
        "covariates_",
    )

    _file_defaults: ClassVar[dict[str, Any]] = {
        "schema_": None,
        "covariates_": None,
        "offset_": None,
        "best_epoch_": None,
        "_prior_gain": None,
    }
    # Of versions that drew from priors that were not the model's own.
    _file_dropped: ClassVar[tuple[str, ...]] = ("priors_", "_codes")
    # Settings that later versions added, as the versions before them trained.
    _setting_defaults: ClassVar[dict[str, Any]] = {
        "prior": "standard",
        "n_prior_components": "auto",
        "linear_start": False,
        "ema_decay": 0.0,
        "validation_folds": 0,
        "missing": None,
        "covariates": None,
        "devices": None,
        "shards": training.SHARDS,
        "precision": "float32",
    }

    def __init__(
        self,
        n_components: int | Literal["auto"] = "auto",
        *,
        noise: Noise = "auto",
        prior: PriorSetting = "mixture",
        n_prior_components: int | Literal["auto"] = "auto",
        encoder: Network = "mlp",
        decoder: Network = "mlp",
        hidden: Sequence[int] = (128, 128),
        activation: str = "silu",
        image_shape: Sequence[int] | None = None,
        transform: Transform = "auto",
        objective: Objective = "elbo",
        beta: float = 1.0,
        n_importance: int = 8,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: float = 4e-3,
        weight_decay: float = 0.1,
        max_epochs: int | Literal["auto"] = "auto",
        kl_warmup: int | Literal["auto"] = "auto",
        encoder_steps: int = 0,
        validation_fraction: float = 0.1,
        validation_folds: int | Literal["auto"] = "auto",
        patience: int | Literal["auto"] | None = "auto",
        clip_norm: float | None = None,
        resolution: Resolution = "auto",
        checkpoint: FilePath | None = None,
        progress: Progress = "auto",
        linear_start: bool = True,
        ema_decay: float = 0.99,
        allow_unbounded: bool = False,
        missing: Gaps | None = None,
        covariates: Given | None = None,
        devices: int | Literal["all"] | None = None,
        shards: int = training.SHARDS,
        precision: Literal["float32", "bfloat16"] = "float32",
        random_state: Seed = None,
    ):
        self.n_components = n_components
        self.noise = noise
        self.prior, self.n_prior_components = prior, n_prior_components
        self.encoder, self.decoder = encoder, decoder
        self.hidden, self.activation = hidden, activation
        self.image_shape = image_shape
        vars(self)["transform"] = transform  # reading the attribute gives the method
        self.objective, self.beta = objective, beta
        self.n_importance, self.batch_size = n_importance, batch_size
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.max_epochs = max_epochs
        self.kl_warmup, self.encoder_steps = kl_warmup, encoder_steps
        self.validation_fraction, self.validation_folds = validation_fraction, validation_folds
        self.patience, self.clip_norm = patience, clip_norm
        self.resolution = resolution
        self.checkpoint, self.progress = checkpoint, progress
        self.linear_start, self.ema_decay = linear_start, ema_decay
        self.allow_unbounded = allow_unbounded
        self.devices, self.shards, self.precision = devices, shards, precision
        self.missing, self.covariates = missing, covariates
        self.random_state = random_state

    def fit(
        self,
        X: Rows,
        y: object = None,
        *,
        sample_weight: ArrayLike | None = None,
        X_val: Rows | None = None,
        callbacks: Sequence[Callable[[training.EpochReport], object]] = (),
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), a path that :func:`wellposed.datasets.read`
            understands, or a source of :mod:`wellposed.sources`, which need not fit in memory: then
            an entry of the history is a pass, or 2^20 rows where a pass has more
        y : ignored
        sample_weight : array-like of shape (n,), at least zero; a row of weight 2 counts as two
            rows, and one of weight 0 is left out
        X_val : rows on which the best epoch is chosen, in place of a share of X or of folds
        callbacks : called with a :class:`wellposed.training.EpochReport` after each epoch, with
            folds of the last training alone; a true result stops the training

        Raises
        ------
        DataError
            If the data are not finite numbers, never vary, or are off the transform's domain; if
            the weights are not one number ≥ 0 a row.
        SettingError
            If a setting is out of range, unknown, or at odds with another.
        UnboundedLikelihoodError
            If the noise has no floor.
        """
        read = X.paths if isinstance(X, sources.BlockSource) else (X,)
        serialise.check_apart(self.checkpoint, *read, what="The checkpoint")
        serialise.check_apart(self.checkpoint, X_val, what="The checkpoint")
        with restore_on_failure(self):
            if isinstance(X, sources.BlockSource):
                run, rows = fit_source(self, X, sample_weight, X_val, callbacks)
                typical, names = rows, getattr(self, "feature_names_in_", None)
            else:
                table, weights = weighted_table(
                    X, self.noise, sample_weight, self.covariates, gaps=self.missing is not None
                )
                prepared = prepare(self, table, holds_out=X_val is None, weights=weights)
                run = trainer(self, prepared, weights, X_val)(callbacks=callbacks)
                rows, names = prepared.rows, table.names
                typical = repeat_rows(rows, weights)
            self._keep(run, rows)
        self._mix(run, typical)
        warn_of_outcome(run, self.noise_variance_, names)
        return self

    def _keep(self, run: training.Run, rows: np.ndarray) -> None:
        """Set the fitted attributes from a run, and from rows of shape (n, d) without offset."""
        model: Any = run.model
        self.store(model, run.history, run.outcome, rows, best_epoch=run.best_epoch)
        self._advance = None

    def _mix(self, run: training.Run, rows: np.ndarray) -> None:
        """Fit the mixture of an "aggregate" prior; interrupted here, the trained model remains."""
        sound = run.outcome is not training.Outcome.nonfinite
        if isinstance(self.prior, str) and self.prior == "aggregate" and sound:
            self.adopt(rows)

    def partial_fit(self, X: Rows, y: object = None) -> Self:
        """Train one pass over a piece of the data.

        The statistics of the transform and the initial value and the floor of the noise come from
        the first piece, which should therefore be typical. After ``fit``, or on a loaded model,
        training continues from the fitted model and its settings, with new moments of Adam. The
        learning rate does not decay, no rows are held out, and σ² is learned by gradient alone.
        p(z) is trained as any part; with "aggregate" call :meth:`adopt_prior` after the last piece.

        Parameters
        ----------
        X : array-like of shape (n, d), or a path; each chunk of a source is a piece, in its order
        y : ignored
        """
        check_process()
        if isinstance(X, sources.BlockSource):
            check_no_covariates(self.covariates)
            with restore_on_failure(self):
                for start, rows in sources.chunks_in_order(X):
                    self.partial_fit(of_source_rows(X, rows, start))
            return self
        settings = settings_of(self)
        objective = objective_of(settings)
        before = getattr(self, "_advance", None)
        if before is None and hasattr(self, "model_"):
            before = training.Advance.of(self.model_, objective, self.history_)
        with restore_on_failure(self):
            if before is None:
                prepared = prepare(self, X, holds_out=False)
                rows, model = prepared.rows, prepared.model
                unbounded = settings["allow_unbounded"]
                models.check_bounded(model, self.n_features_in_, allow_unbounded=unbounded)
            else:
                rows, model = self.rows(X, to_train=True), before.model
            reached = training.advance(
                model,
                rows,
                key=self.key("fit"),
                objective=objective,
                plan=plan_of(settings, len(rows)),
                before=before,
                mesh=mesh_of(settings),
            )
            ended = training.Outcome.budget_spent if reached.finite else training.Outcome.nonfinite
            self.store(reached.model.with_fixed_prior(), reached.history, ended, rows)
            self._advance = reached
        return self

    def transform(self, X: Rows, *, out: FilePath | None = None) -> Any:
        """Return the posterior mean E[z | x] of each row: (n, d) data units to (n, k).

        With ``out``, a .npy or .parquet file, they are written to it and its path is returned.
        Processes that joined share a source, as in :meth:`score_samples`.
        """

        def means(rows: Rows) -> np.ndarray:
            with spread(self):
                return evaluation.latent_means(self.model_, self.rows(rows), key=self.key("score"))

        if out is not None and _get_output_config("transform", self)["dense"] != "default":
            raise SettingError(
                "Rows are returned as a frame or written to a file; got out with set_output. Call "
                'set_output(transform="default"), or leave out away.'
            )
        names = self.get_feature_names_out().tolist() if out is not None else None
        return by_row(self, means, X, call="transform", out=out, names=names)

    def score_samples(
        self,
        X: Rows,
        n_samples: int = 128,
        method: Method = "importance",
        *,
        out: FilePath | None = None,
    ) -> Any:
        """Estimate log p(x) of each row, shape (n,), in nats, as a density of the data passed.

        Parameters
        ----------
        X : array-like of shape (n, d), a path, or a source
        n_samples : draws of z a row of "importance" and "encoder"
        method : "importance" refines the proposal of each row (its mode, curvature and pilot
            draws), "encoder" draws from q(z | x); "ais" (annealed), "exact" (linear decoders), or
            "auto": exact where possible, and annealed, with a warning, where importance sampling
            is unreliable
        out : .npy or .parquet file to write the values to, in order; its path is then returned

        The same row gets the same value whatever rows it comes with, and on any number of devices.
        With ``devices``, processes that joined compute the blocks of a source in turn: each calls
        this method, all return the values or the path, and one writes the file.
        """

        def values(rows: Rows) -> np.ndarray:
            return np.asarray(self.log_likelihood(rows, n_samples, method).value)

        call = f"score_samples of {n_samples} draws, {method}"
        return by_row(self, values, X, call=call, out=out, names=["log_p"])

    def log_likelihood(
        self, X: Rows, n_samples: int = 128, method: Method = "importance"
    ) -> evaluation.LogLikelihood:
        """Estimate log p(x) with standard errors, effective sample sizes and Pareto k̂.

        The parameters are those of :meth:`score_samples`.
        """
        with spread(self):
            return evaluation.estimate_log_likelihood(
                self.model_, self.rows(X), key=self.key("score"), n_samples=n_samples, method=method
            )

    def score(self, X: Rows, y: object = None) -> float:
        """Mean of :meth:`score_samples` over rows, in nats: larger is better."""
        return float(self.score_samples(X).mean(dtype=np.float64))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's settings by name."""
        return {**super().get_params(deep), "transform": vars(self)["transform"]}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True  # sparse rows become dense
        tags.transformer_tags.preserves_dtype = ["float32"]  # what the model computes in
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    @property
    def _n_features_out(self) -> int:
        return self.n_components_
