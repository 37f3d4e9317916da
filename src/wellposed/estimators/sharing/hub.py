"""Files of models in repositories of the Hugging Face Hub, through huggingface_hub."""

import dataclasses
import importlib
import re
import tempfile
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from wellposed._errors import DownloadError, MissingPackageError, OutputError, SettingError

from .use import FILE, use

SCHEME = "hf://"
MODEL, CARD = FILE, "README.md"
_ADDRESS = re.compile(
    r"hf://(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[^/@\s]+))?(/(?P<file>[^@\s]+))?"
)
_REPO = re.compile(r"[\w.-]+/[\w.-]+")


@runtime_checkable
class Saved(Protocol):
    """A fitted estimator of this library."""

    def save(self, path: Any) -> None:
        """Write it to a file."""
        ...


@dataclasses.dataclass(frozen=True)
class Address:
    """Address of a file: ``hf://user/repo``, ``hf://user/repo@revision/file``.

    Parameters
    ----------
    repo : user and repository
    file : path in the repository
    revision : branch, tag or commit; None is the newest state of the main branch

    Examples
    --------
    >>> Address.of("hf://me/digits@v1").revision
    'v1'
    >>> str(Address("me/digits", "small/model.wp", "0a1b2c"))
    'hf://me/digits@0a1b2c/small/model.wp'
    """

    repo: str
    file: str = MODEL
    revision: str | None = None

    @classmethod
    def of(cls, text: str) -> "Address":
        """Read an address.

        Raises
        ------
        SettingError
            If it is none.
        """
        found = _ADDRESS.fullmatch(text)
        if found is None:
            raise SettingError(
                "An address on the Hub must be hf://user/repo, with @revision after the "
                f"repository and /file at the end where needed; got {text!r}. For example, "
                "hf://user/repo@v1/model.wp."
            )
        return cls(found["repo"], found["file"] or MODEL, found["revision"])

    def __str__(self) -> str:
        revision = "" if self.revision is None else f"@{self.revision}"
        return f"{SCHEME}{self.repo}{revision}/{self.file}"


def download(text: str) -> str:
    """Return the path of a file of the Hub in the cache of huggingface_hub.

    Raises
    ------
    SettingError
        For no address, or without huggingface_hub.
    DownloadError
        If the file cannot be had; its bytes are not checked here.
    """
    address, hub = Address.of(text), _hub("An address that begins with hf://")
    try:
        return hub.hf_hub_download(address.repo, address.file, revision=address.revision)
    except Exception as error:  # of requests, of the Hub, of the disk
        raise DownloadError(
            f"{address} could not be had: {type(error).__name__}: {_first_line(error)} Check the "
            "name and the revision; a private repository needs `hf auth login`."
        ) from error


def push_to_hub(
    estimator: Saved,
    repo: str,
    *,
    file: str = MODEL,
    card: str | None = None,
    private: bool = False,
    revision: str | None = None,
) -> str:
    """Upload a fitted estimator to a repository of the Hugging Face Hub.

    Needs ``pip install 'wellposed[hub]'`` and an account, see ``hf auth login``. The repository is
    created if there is none.

    Parameters
    ----------
    estimator : fitted estimator with ``save``
    repo : "user/repo"
    file : path of the model in the repository
    card : Markdown, as of :func:`wellposed.model_card`, which becomes its README, with the
        address of the model under "Use"; None leaves the README
    private : whether a new repository is private
    revision : branch to commit to; None is the main branch

    Returns
    -------
    address of this very upload for :func:`wellposed.load`, with its commit as the revision

    Raises
    ------
    SettingError
        For no name of a repository, without huggingface_hub, or an estimator that is not saved.
    OutputError
        If the upload fails.

    Examples
    --------
    >>> card = wp.model_card(vae, X_held_out)  # doctest: +SKIP
    >>> wp.push_to_hub(vae, "me/digits", card=card)  # doctest: +SKIP
    'hf://me/digits@0a1b2c.../model.wp'
    """
    if not isinstance(repo, str) or not _REPO.fullmatch(repo):
        raise SettingError(f'repo must be "user/repo"; got {repo!r}. It is created if needed.')
    _check_file(file)
    hub = _hub("push_to_hub")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, file).parent.mkdir(parents=True, exist_ok=True)
        estimator.save(Path(folder, file))
        if card is not None:
            text = card.replace(use(FILE), _use_of(repo, file, revision))
            Path(folder, CARD).write_text(text, encoding="utf-8", newline="\n")
        commit = _upload(hub, folder, repo, private=private, revision=revision)
    return str(Address(repo, file, commit.oid))


def _use_of(repo: str, file: str, revision: str | None) -> str:
    """How the newest state of an upload is loaded; no address has a branch with a slash."""
    if revision is not None and re.search(r"[/@\s]", revision):
        return use(file)
    needs = "It needs `pip install 'wellposed[hub]'`."
    return f"{use(str(Address(repo, file, revision)))}\n{needs}\n"


def _check_file(file: str) -> None:
    """Refuse a path that leaves the repository, that no address can name, or of the card."""
    parts = file.split("/") if isinstance(file, str) else [""]
    bad = any(part in ("", ".", "..") for part in parts) or re.search(r"[@\s\\:]", file)
    if bad or file == CARD:
        raise SettingError(
            "file must be a path within the repository, without spaces, @, : and \\, and not the "
            f"{CARD} that the card becomes; got {file!r}. For example, {MODEL}."
        )


def _upload(hub: Any, folder: str, repo: str, *, private: bool, revision: str | None) -> Any:
    try:
        interface = hub.HfApi()
        interface.create_repo(repo, private=private, exist_ok=True)
        return interface.upload_folder(
            repo_id=repo,
            folder_path=folder,
            revision=revision,
            commit_message="Upload a wellposed model",
        )
    except Exception as error:  # of requests, of the Hub
        raise OutputError(
            f"The model could not be uploaded to {repo}: {type(error).__name__}: "
            f"{_first_line(error)} Check the name, the network and the revision, which must be a "
            "branch that exists; log in with `hf auth login`, with a token that may write there."
        ) from error


def _first_line(error: Exception) -> str:
    line = (str(error).strip().splitlines() or [""])[0].rstrip(". ")
    return f"{line}." if line else ""


def _hub(what: str) -> Any:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise MissingPackageError(
            f"{what} needs huggingface_hub, which cannot be imported. Install it with: pip install "
            "'wellposed[hub]'"
        ) from error
