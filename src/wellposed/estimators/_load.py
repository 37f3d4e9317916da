"""Loading of fitted estimators."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

from wellposed import nn, serialise
from wellposed._compiled import keep_compiled
from wellposed._errors import DamagedFileError, MissingPackageError
from wellposed._forks import check_process
from wellposed._version import __version__
from wellposed.noise import AbstractNoise
from wellposed.objectives import AbstractObjective
from wellposed.transforms import AbstractTransform

from ._file import restore
from ._settings import settings_of
from ._vae import VAE
from ._words import FilePath
from .few_labels import SemiSupervisedRegressor, SemiSupervisedVAE
from .few_labels.file import restore_labelled
from .imputation import GaussianImputer, VAEImputer
from .imputation.file import restore_imputer
from .linear import PPCA, FactorAnalysis, LinearVAE, MixturePPCA
from .outliers import OutlierVAE
from .outliers.file import restore_detector
from .sharing.hub import SCHEME, download

T = TypeVar("T")
# A class, a function without arguments that makes an object, or a tuple of those.
Own: TypeAlias = type[T] | Callable[[], T] | tuple[type[T] | Callable[[], T], ...]
Estimator: TypeAlias = (
    PPCA
    | FactorAnalysis
    | MixturePPCA
    | LinearVAE
    | VAE
    | GaussianImputer
    | OutlierVAE
    | SemiSupervisedRegressor
    | SemiSupervisedVAE
    | VAEImputer
)

KINDS: dict[str, type] = {
    "FactorAnalysis": FactorAnalysis,
    "GaussianImputer": GaussianImputer,
    "LinearVAE": LinearVAE,
    "MixturePPCA": MixturePPCA,
    "OutlierVAE": OutlierVAE,
    "PPCA": PPCA,
    "SemiSupervisedRegressor": SemiSupervisedRegressor,
    "SemiSupervisedVAE": SemiSupervisedVAE,
    "VAE": VAE,
    "VAEImputer": VAEImputer,
}
_REBUILD: dict[type, Callable[..., Any]] = {
    GaussianImputer: restore_imputer,
    OutlierVAE: restore_detector,
    SemiSupervisedRegressor: restore_labelled,
    SemiSupervisedVAE: restore_labelled,
    VAEImputer: restore_imputer,
}


def load(
    path: FilePath,
    *,
    encoder: nn.MakeNetwork | None = None,
    decoder: nn.MakeNetwork | None = None,
    noise: Own[AbstractNoise] | None = None,
    transform: Own[AbstractTransform] | None = None,
    objective: Own[AbstractObjective] | None = None,
) -> Estimator:
    """Load a fitted estimator; nothing in the file is executed.

    The file must contain a model that ``fit`` can produce. Its ``checkpoint`` is None.

    Parameters
    ----------
    path : a file written by ``save`` of an estimator; or "hf://user/repo@revision/file" of the
        Hugging Face Hub, where the file is "model.wp" and the revision the newest by default
    encoder, decoder : makers ``make(n_in, n_out, *, key)`` of networks of your own, of which a
        file has the arrays alone; not used where the file needs none
    noise, transform, objective : classes of your own, of which a file has the fields alone: a
        class, a function without arguments that makes an object of it, or a tuple of those; not
        used where the file needs none. Classes are found by their names; their ``__init__`` is
        not called.

    Raises
    ------
    DamagedFileError
        If a byte of the file differs from what was written, its version is unknown, or it contains
        no model that ``fit`` can produce.
    SettingError
        If it needs a maker or a class that was not given.
    FileNotFoundError, DownloadError
        If there is no such file, or not on the Hub.

    Examples
    --------
    >>> import tempfile
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     PPCA(1).fit(X).save(f"{folder}/model.wp")
    ...     load(f"{folder}/model.wp")
    PPCA(n_components=1)
    """
    check_process()
    if isinstance(path, str) and path.startswith(SCHEME):
        path = download(path)
    networks = {"encoder": encoder, "decoder": decoder}
    classes = {"noise": noise, "transform": transform, "objective": objective}
    makers = {role: maker for role, maker in networks.items() if maker is not None}
    own = {role: given for role, given in classes.items() if given is not None}
    return _read(path, makers, {role: serialise.own_classes(role, own[role]) for role in own})


def _read(path: FilePath, makers: dict[str, nn.MakeNetwork], supplied: dict[str, Any]) -> Estimator:
    keep_compiled()  # before the first program of this process
    tensors, header = serialise.read(path)
    kind = header.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise DamagedFileError(
            f"{path} holds a {str(kind)[:40]}, not a model. Pass the file that save() wrote; "
            "a checkpoint is resumed by fitting with the same `checkpoint`."
        )
    try:
        rebuild = _REBUILD.get(KINDS[kind], restore)
        return rebuild(KINDS[kind], header, tensors, makers, supplied)
    except DamagedFileError as error:
        raise DamagedFileError(f"{path}: {error}{_advice(header['library'])}") from error
    except (MissingPackageError, serialise.NeedsMakerError) as error:
        raise type(error)(f"{path}: {error}") from error
    # The content of a file is arbitrary, and parts that do not match can raise anything.
    except Exception as error:
        raise DamagedFileError(
            f"{path} holds no model that fit can produce: {type(error).__name__}: {error} Take it "
            "from a backup, save it again, or open it with the version that wrote it "
            f"({header['library'][:40]}).{_advice(header['library'])}"
        ) from error


def _advice(library: str) -> str:
    """Return a sentence on a file of a later version, which may hold what this one lacks."""
    if serialise.age_of(library) != "newer":
        return ""
    return (
        f" It was written by wellposed {library}, which is newer than this one, {__version__}. "
        f"{serialise.remedy(library)}"
    )


def load_like(path: FilePath, template: VAE) -> VAE:
    """Load an estimator with the user's networks and classes from the settings of a template."""
    settings = settings_of(template)
    own = {
        role: tuple(serialise.own_classes(role, settings[role]))
        for role in serialise.ROLES
        if dataclasses.is_dataclass(settings.get(role))
    }
    makers = {
        role: settings[role]
        for role in serialise.NETWORKS
        if not isinstance(settings.get(role, ""), str)
    }
    parts: dict[str, Any] = {**makers, **own}
    return cast(VAE, load(path, **parts))
