"""Classification from few labels, by a VAE of all rows."""

import dataclasses
from typing import Any, ClassVar, Literal, TypeAlias

import jax
import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax, logsumexp
from sklearn.base import ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from wellposed import training
from wellposed._checks import Rule, or_word, real, whole
from wellposed._errors import DataError, SettingError
from wellposed.models.labelled import Classes
from wellposed.numerics import on_device

from .._file_check import demand
from .._settings import settings_of
from .._vae import VAE
from .._words import FilePath, Progress, Rows, Sampler, Seed
from ..data.rows import seed_of
from ..data.table import Table
from . import measures
from .calibration import LabelCalibration, calibrate, is_calibration, uncalibrated
from .diagnosis import LabelDiagnosis, diagnose_classes
from .features import Features, logits_of
from .methods import AbstractSemiSupervised
from .neighbours import Neighbours, among, check_neighbours, spread_labels
from .setups import Ready
from .spreading import LabelSpread
from .targets import ClassTargets, read_classes

Method: TypeAlias = Literal["features", "joint", "stacked", "auxiliary"]
ClassPrior: TypeAlias = Literal["uniform", "empirical", "learned"] | ArrayLike

_FOLDS_OF_FEATURES, _FOLDS_OF_NETWORKS = 5, 3


class SemiSupervisedVAE(ClassifierMixin, AbstractSemiSupervised):
    r"""Classifier of rows of which few have a label, by a VAE of all of them.

    .. math::
        \sum_\text{labelled} \bigl(-L(x, y) + \alpha \log q(y \mid x)\bigr)
        + \sum_\text{others} \Bigl(\sum_y q(y \mid x) \, (-L(x, y)) + H(q(y \mid x))\Bigr), \quad
        -L(x, y) \le \log p(x, y)

    is what "joint" and "stacked" maximise, and "auxiliary" in expectation over q(a | x). The sum
    over y is exact: each class has its own pass through both networks.

    Parameters
    ----------
    method : "features", "joint", "stacked" or "auxiliary"
        "features" (M1) fits a VAE to all rows without their labels, and a classifier of
        scikit-learn to the latents of the labelled ones. "joint" (M2) is p(y) p(z) p(x | y, z),
        with a network q(y | x). "stacked" (M1+M2) fits a VAE without labels first, and then the
        second model to draws of its latents, fresh at every visit, without those latents whose
        means have a standard deviation of 0.1 or less. "auxiliary" (ADGM) is "joint", or with a
        second_vae "stacked", with q(a | x) q(y | x, a) q(z | x, y, a) and p(a | x, y, z): its
        q(y | x) and q(z | x, y) are mixtures over a, which has the length of z. Predictions are
        those at E[a | x].
    vae : None, :class:`wellposed.VAE` or ``sklearn.frozen.FrozenEstimator`` of a fitted one
        Settings of the VAE of the data, which is not fitted itself: noise, networks, epochs and
        the rest; of "features" covariates as well. A frozen one, of "features" and where there is
        a second VAE, is used as it was fitted: one training then serves several sets of labels.
        ``random_state`` and ``progress`` are set here, and of "joint" ``checkpoint``. p(z) is
        N(0, I) but for "features", as a mixture would learn the classes in place of y.
        ``validation_fraction`` of the rows without a label choose the epoch.
    second_vae : None or :class:`wellposed.VAE`
        Settings of the second VAE of "stacked", whose data are latents. "auxiliary" has a second
        VAE only where one is given.
    classifier : None, "mlp", "conv", a maker, or a classifier of scikit-learn
        Of "features" a classifier, which is cloned; one of ``sklearn.semi_supervised`` gets all
        rows, others the labelled ones. None is :class:`LabelSpread`; of up to 40 columns, latents
        then have the lengths of the rows that they decode to. Of the
        other methods the network of q(y | x), by default like the encoder.
    alpha : "auto" or number ≥ 0
        α: the weight of log q(y | x) of *one labelled row*, in units of the bound of one row.
        "auto" is 10 n/n_labelled, where n is the number of rows that are trained on. Kingma et al.
        have 0.1 n/n_labelled. A number stays what it is if rows are added.
    spread_share : "auto" or number in [0, 1)
        Of all but "features", the share of the rows without a label that get one before the
        training, by :class:`LabelSpread`: those of which it is surest. Without them the bound
        chooses classes by what shortens the code, such as slant in place of digits. "auto" is
        0.95; 0 where a single VAE has rows with missing entries. 0 is the published method.
        Neighbours are those in the latents of the first of two VAEs, and of a single one in 40
        principal components
    neighbours : None, transformer of scikit-learn, or list of transformers and None
        Maps rows, an array in data units, to the points among which :class:`LabelSpread` takes
        neighbours; it is cloned, and fitted to all rows without their labels. Of a list the graphs
        are averaged. None has the neighbours that are described above
    class_prior : "uniform", "empirical", "learned" or array of shape (K,)
        p(y): of the labels with "empirical"; of the classes in the order of ``classes_``
    class_weight : None, "balanced" or dict {class: weight}
        Weights of the labels in log q(y | x); with "balanced" all classes weigh the same.
    classes : None or sequence
        Classes, where some may have no example; by default those of the labels, or the categories
        of a categorical. A class without an example has probability zero.
    features : "mean" or int
        Of "features", what a labelled row is to the classifier: E[z | x], or that many draws of
        q(z | x).
    calibration_folds : "auto" or int
        Number of further trainings, each without the labels of a fold of the labelled rows, to
        calibrate ``predict_proba``; "auto" is 5 for "features", where they take seconds, and else
        3. 0 leaves out the calibration.
    checkpoint : file that makes the training with labels resumable; of "features" that of the VAE
    progress : "auto", True or False: a progress bar
    random_state : int, RandomState or None

    Attributes
    ----------
    classes_ : the classes, sorted, shape (K,)
    model_ : :class:`wellposed.models.labelled.LabelledVAE`; None for "features"
    vae_ : the VAE that is fitted without labels; where a single one is fitted with labels, its
        ``model_`` is a part of ``model_``
    classifier_ : of "features", the fitted classifier
    neighbours_ : the transformers of ``neighbours`` as they were fitted, a tuple
    alpha_ : α of the training; None for "features"
    n_labelled_ : number of rows with a label
    calibration_ : :class:`LabelCalibration`, the temperature and how it came about
    history_ : dict of arrays, one entry an epoch; with the bound as "objective"
    outcome_ : :class:`wellposed.training.Outcome`
    n_features_in_ : d

    References: Kingma, Rezende, Mohamed & Welling (2014), Semi-supervised learning with deep
    generative models; Maaløe, Sønderby, Sønderby & Winther (2016), Auxiliary deep generative
    models; Guo, Pleiss, Sun & Weinberger (2017), for the temperature.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> kind = np.repeat(["a", "b"], 60)
    >>> X = rng.normal(size=(120, 3)) + 4.0 * (kind == "b")[:, None]
    >>> y = np.where(np.arange(120) % 12 == 0, kind, None)
    >>> vae = VAE(1, hidden=(8,), max_epochs=60)
    >>> model = SemiSupervisedVAE("joint", vae=vae, calibration_folds=0, random_state=0).fit(X, y)
    >>> (model.predict(X) == kind).mean() > 0.9, model.n_labelled_
    (np.True_, 10)
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        **AbstractSemiSupervised._constraints,
        "spread_share": or_word("auto", real(low=0, below=1)),
        "features": or_word("mean", whole()),
        "calibration_folds": or_word("auto", whole(0)),
    }

    _neighbours: Neighbours | None = None
    _head: ClassVar[str] = "classifier"
    _n_parts_of_head: ClassVar[int] = 3
    _file_state: ClassVar[tuple[str, ...]] = (
        "_class_names",
        "_present",
        "_label_counts",
        "_calibration",
    )

    def __init__(
        self,
        method: Method = "joint",
        *,
        vae: VAE | FrozenEstimator | None = None,
        second_vae: VAE | None = None,
        classifier: Any = None,
        alpha: float | Literal["auto"] = "auto",
        spread_share: float | Literal["auto"] = "auto",
        neighbours: Any = None,
        class_prior: ClassPrior = "uniform",
        class_weight: Any = None,
        classes: Any = None,
        features: int | Literal["mean"] = "mean",
        calibration_folds: int | Literal["auto"] = "auto",
        checkpoint: FilePath | None = None,
        progress: Progress = "auto",
        random_state: Seed = None,
    ):
        super().__init__(
            method,
            vae=vae,
            second_vae=second_vae,
            alpha=alpha,
            checkpoint=checkpoint,
            progress=progress,
            random_state=random_state,
        )
        self.classifier = classifier
        self.spread_share, self.neighbours = spread_share, neighbours
        self.class_prior, self.class_weight = class_prior, class_weight
        self.classes = classes
        self.features = features
        self.calibration_folds = calibration_folds

    def _fit(
        self, table: Table, y: Any, weights: np.ndarray | None, kept: np.ndarray | None
    ) -> None:
        check_neighbours(settings_of(self))
        self._neighbours = None
        n = len(table.values) if kept is None else len(kept)
        targets = read_classes(y, n, self.classes, kept)
        self._class_names = tuple(targets.classes.tolist())
        self._present, self.n_labelled_ = targets.present, len(targets.labelled)
        self._label_counts = np.bincount(targets.codes[targets.labelled])[targets.present]
        of_classes = targets.label_weights(self.class_weight)
        fit = self._fit_features if self.method == "features" else self._fit_networks
        fit(table, targets, of_classes, weights)

    def _fit_features(
        self,
        table: Table,
        targets: ClassTargets,
        of_classes: np.ndarray,
        weights: np.ndarray | None,
    ) -> None:
        vae = self._fit_alone(table, weights)
        n_draws = 0 if self.features == "mean" else int(self.features)
        features = Features.of(vae, table, n_draws, seed=self._seed)
        labels, classifier = targets.of_present(), self.classifier
        if classifier is None:
            units = features.units(vae, table)
            classifier = LabelSpread(prior=self._masses(targets), units=units)
        if self.neighbours is not None:
            found = among(self.neighbours, classifier, features.means, table)
            self._neighbours, classifier, points = found
            features = dataclasses.replace(features, means=points)
        self.classifier_ = features.fit(classifier, labels, of_classes, weights)
        known = targets.labelled

        def logits_without(held: np.ndarray) -> np.ndarray:
            rest = labels.copy()
            rest[known[held]] = np.nan
            fitted = features.fit(self.classifier_, rest, of_classes, weights)
            return logits_of(fitted, features.means[known[held]], len(targets.present))

        self._calibrate(targets, logits_without, _FOLDS_OF_FEATURES)

    def _fit_networks(
        self,
        table: Table,
        targets: ClassTargets,
        of_classes: np.ndarray,
        weights: np.ndarray | None,
    ) -> None:
        labels = targets.of_present()
        ready = self._set_up(table, self._classes(targets), labels, weights)
        settings, prior = settings_of(self), self._masses(targets)
        self._neighbours, spread = spread_labels(ready, table, settings, prior, seed=self._seed)
        known_or_spread = spread(labels)
        self.alpha_ = ready.setup.alpha_of(known_or_spread)
        self._train(ready, known_or_spread, targets.weights_of(known_or_spread, of_classes))
        if self.outcome_ in (training.Outcome.interrupted, training.Outcome.nonfinite):
            reason = f"Not calibrated: the training ended as {self.outcome_.value}."
            self._keep(uncalibrated(len(targets.present), reason))
            return
        known = targets.labelled

        def logits_without(held: np.ndarray) -> np.ndarray | None:
            rest = labels.copy()
            rest[known[held]] = np.nan
            rest = spread(rest)
            return self._without(ready, rest, targets.weights_of(rest, of_classes), known[held])

        self._calibrate(targets, logits_without, _FOLDS_OF_NETWORKS)

    def _without(
        self, ready: Ready, labels: np.ndarray, weights: np.ndarray, held: np.ndarray
    ) -> np.ndarray | None:
        """Return the logits of some rows by a training with labels that are not of these rows."""
        progress = settings_of(self)["progress"]
        run = ready.setup.train(labels, weights, progress=progress, unit="fold's epoch")
        if run.outcome in (training.Outcome.interrupted, training.Outcome.nonfinite):
            return None
        rows, key = ready.setup.rows[held], self.vae_.key("score")
        return measures.outputs(run.model, rows, key=key)  # type: ignore[arg-type]

    def _calibrate(self, targets: ClassTargets, logits_without: Any, automatic: int) -> None:
        folds = settings_of(self)["calibration_folds"]
        codes = np.searchsorted(targets.present, targets.codes[targets.labelled])
        n_folds = automatic if folds == "auto" else int(folds)
        n_classes = len(targets.present)
        self._keep(calibrate(codes, n_classes, logits_without, n_folds, seed=self._seed))

    def _keep(self, calibration: LabelCalibration) -> None:
        self._calibration = dataclasses.astuple(calibration)

    @property
    def classes_(self) -> np.ndarray:
        """The classes, sorted, shape (K,)."""
        if not hasattr(self, "_class_names"):
            raise AttributeError("classes_ is known once fit was called")
        return np.array(self._class_names)

    @property
    def calibration_(self) -> LabelCalibration:
        """The temperature of ``predict_proba``, and how it came about."""
        if not hasattr(self, "_calibration"):
            raise AttributeError("calibration_ is known once fit was called")
        return LabelCalibration(*self._calibration)

    @property
    def neighbours_(self) -> tuple[Any, ...]:
        """Fitted transformers of rows to points, None for the usual points."""
        if self._neighbours is None:
            raise AttributeError("neighbours_ is of a fit with neighbours, and in no file")
        return self._neighbours.transformers

    @property
    def _n_outputs(self) -> int:
        return len(self._present)

    @property
    def _n_given(self) -> int:
        return len(self._present)

    def _parts_of_head(self) -> tuple[np.ndarray, ...]:
        """Return latents of the rows of the fit, their shares of the classes, and their units."""
        return self.classifier_.points, self.classifier_.transduction_, self.classifier_.units

    def _head_of(self, parts: tuple[np.ndarray, ...], k: int) -> LabelSpread:
        """Return the default classifier with its latents and their shares."""
        points, shares, units = parts
        m, n = len(points), len(self._present)
        demand(m > 1 and points.shape == (m, k) and shares.shape == (m, n), "the classifier")
        demand(units.shape == (k, k), "the classifier")
        sums = shares.sum(axis=1)
        demand(bool((shares >= 0).all() and np.allclose(sums, 1.0)), "the classifier")
        return LabelSpread.of_shares(points, shares, units)

    def _check_restored(self) -> None:
        """Refuse a state of a file that no fit makes."""
        names, present = self._class_names, self._present
        classes = np.array(names)
        sound = isinstance(names, tuple) and classes.dtype.kind in "biufU" and len(names) > 1
        demand(sound and classes.tolist() == np.unique(classes).tolist(), "classes_")
        whole = isinstance(present, np.ndarray) and present.dtype == np.int64 and present.ndim == 1
        demand(whole and len(present) > 1 and bool((np.diff(present) > 0).all()), "classes_")
        demand(bool(present[0] >= 0 and present[-1] < len(names)), "classes_")
        counts = self._label_counts
        whole = isinstance(counts, np.ndarray) and counts.dtype == np.int64
        fits = whole and counts.shape == present.shape and bool((counts > 0).all())
        demand(fits and int(counts.sum()) == self.n_labelled_, "n_labelled_")
        demand(is_calibration(self._calibration, len(present)), "calibration_")

    def _masses(self, targets: ClassTargets) -> np.ndarray:
        """Return p(y) of the classes with an example; even where it is learned."""
        return np.exp(np.asarray(self._classes(targets).log_prior, np.float64))

    def _classes(self, targets: ClassTargets) -> Classes:
        """Return p(y) of the classes with an example."""
        setting, n = self.class_prior, len(targets.present)
        counts = np.bincount(targets.codes[targets.labelled], minlength=len(targets.classes))
        shares = {"uniform": np.ones(n), "learned": np.ones(n)}
        shares["empirical"] = counts[targets.present].astype(float)
        if isinstance(setting, str):
            if setting not in shares:
                raise SettingError(
                    "class_prior must be one of empirical, learned, uniform, or an array; got "
                    f'{setting!r}. "uniform" is the default.'
                )
            return Classes(on_device(np.log(shares[setting])), learned=setting == "learned")
        given = np.asarray(setting, np.float64)
        wanted = targets.classes.shape
        if given.shape != wanted or not (given[targets.present] > 0).all():
            raise SettingError(
                f"class_prior must be a probability above zero for each of the {wanted[0]} classes "
                f"in classes_; got an array of shape {given.shape}. Pass one in that order."
            )
        return Classes(on_device(np.log(given[targets.present])), learned=False)

    def _logits(self, X: Rows) -> np.ndarray:
        """Return log p(y | x) up to a constant, of the classes with an example, calibrated."""
        rows = self._rows(X)
        if self.model_ is None:
            points = self._points(X)
            logits = logits_of(self.classifier_, points, len(self._present))
        else:
            logits = self._outputs(rows)
        return logits.astype(np.float64) / self.calibration_.temperature

    def _points(self, X: Rows) -> np.ndarray:
        """Return what the classifier of "features" takes: latents, or points of transformers."""
        if self._neighbours is None:
            return self.vae_.transform(X)
        return self._neighbours.points(self.vae_.open(X).values, lambda: self.vae_.transform(X))

    def predict_log_proba(self, X: Rows) -> np.ndarray:
        """Return the log probability of each class, (n, d) to (n, K); −inf without an example."""
        found = log_softmax(self._logits(X), axis=1)
        whole = np.full((len(found), len(self.classes_)), -np.inf)
        whole[:, self._present] = found
        return whole

    def predict_proba(self, X: Rows) -> np.ndarray:
        """Return the probability of each class: (n, d) data units to (n, K).

        softmax(logits/T) with the temperature T of ``calibration_``; zero without an example.
        """
        return np.exp(self.predict_log_proba(X))

    def decision_function(self, X: Rows) -> np.ndarray:
        """Return :meth:`predict_log_proba`, or with two classes log p(second) − log p(first)."""
        found = self.predict_log_proba(X)
        return found[:, 1] - found[:, 0] if found.shape[1] == 2 else found

    def predict(self, X: Rows) -> np.ndarray:
        """Return the most probable class of each row, shape (n,)."""
        places = self._logits(X).argmax(axis=1)
        return self.classes_[self._present[places]]

    def score_samples(self, X: Rows, y: Any = None, n_samples: int = 128) -> np.ndarray:
        """Estimate log p(x, y) of each row, or log p(x) = log Σ_y p(x, y), shape (n,), in nats.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        y : one class for all rows, or one each; None sums over the classes
        n_samples : draws of z a row and class, by importance sampling

        Raises
        ------
        SettingError
            For "features" with a y: its VAE knows no label.
        """
        if y is None and self.method == "features":
            check_is_fitted(self)
            return self.vae_.score_samples(X, n_samples)
        joint = self._log_joint(X, np.arange(len(self._present), dtype=float), n_samples)
        if y is None:
            return np.asarray(logsumexp(joint.astype(np.float64), axis=1))
        return joint[np.arange(len(joint)), self._places(y, len(joint))]

    def sample(
        self,
        n_samples: int = 1,
        y: Any = None,
        how: Sampler = "ancestral",
        *,
        alpha: float = 1.0,
        random_state: Seed = None,
    ) -> Any:
        """Draw data of given classes from p(x | y), or from p(x).

        Parameters
        ----------
        n_samples : how many
        y : one class, or one for each draw; None draws it from p(y)
        how, alpha : see :meth:`wellposed.VAE.sample`
        random_state : None takes the estimator's own seed, so that equal calls give equal draws

        Returns
        -------
        array of shape (n_samples, d), data units, or a frame for a model of one
        """
        model = self._whole_model("sample")
        if y is None:
            seed = self._seed if random_state is None else seed_of(random_state)
            key = jax.random.fold_in(jax.random.key(seed), 3)
            prior: Any = model.labels
            chosen = jax.random.categorical(key, prior.log_prior, shape=(int(n_samples),))
            labels = np.asarray(chosen, float)
        else:
            labels = self._places(y, int(n_samples)).astype(float)
        return self._draw(labels, how, alpha, random_state)

    def diagnose(self, X: Rows, y: Any = None) -> LabelDiagnosis:
        """Measure each class: labels, held-out accuracy, log p(x, y) in nats, active latents.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        y : their labels, with gaps as in :meth:`fit`; None takes the predicted classes

        Returns
        -------
        LabelDiagnosis: ``print`` it, or show it in a notebook
        """
        check_is_fitted(self)
        places = None
        if y is not None:
            found = read_classes(y, len(self._rows(X)), self.classes_)
            places = np.full(len(found.codes), -1)
            for place, c in enumerate(self._present):
                places[found.codes == c] = place
        return diagnose_classes(self, X, places)

    def _places(self, y: Any, n: int) -> np.ndarray:
        """Return the position of each class among those with an example."""
        given = np.asarray(y)
        if given.ndim == 0:
            given = np.full(n, given)
        names = self.classes_[self._present]
        if given.shape != (n,) or not np.isin(given, names).all():
            listed = ", ".join(map(repr, names.tolist()))
            raise DataError(
                f"y must be one of the classes with an example, {listed}, or {n} of them; got "
                f"{y!r}. Correct it, or leave it out."
            )
        return np.searchsorted(names, given)
