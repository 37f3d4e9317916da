"""Folder of a grid of trainings, from which an interrupted grid continues."""

from pathlib import Path
from typing import Any

from wellposed import serialise
from wellposed._errors import DamagedFileError, SettingError
from wellposed._version import __version__

from .._words import FilePath

_MANIFEST = "grid"


class GridFolder:
    """Folder of the figures and models of a grid's members.

    ``grid`` identifies the grid; ``member-0003`` contains the figures of a member that has ended,
    ``member-0003.wp`` its model where models are saved, ``best.wp`` the best model so far, and
    ``*.ckpt`` the states of members in training. Every file has a version and a checksum.

    Raises
    ------
    SettingError
        If the folder belongs to another grid or another version, or contains other files.
    OutputError
        If it cannot be written.
    DamagedFileError
        If a file in it differs from what was written.
    """

    def __init__(self, path: FilePath, identity: str, seed: int):
        self.path = Path(path).absolute()
        self.seed = seed
        # Creates the folder, and deletes incomplete files of killed processes.
        manifest = serialise.check_writable(self.path / _MANIFEST, overwrite=True)
        if manifest.exists():
            self.seed = self._check_manifest(manifest, identity)
            return
        if any(self.path.iterdir()):
            raise SettingError(
                f"The folder of a grid must be new or hold that grid; {self.path} holds other "
                "files. Name another folder, so that nothing is mixed."
            )
        serialise.write(manifest, {}, {"kind": "grid", "identity": identity, "seed": seed})

    def _check_manifest(self, manifest: Path, identity: str) -> int:
        _, header = serialise.read(manifest)
        if header.get("kind") != "grid":
            raise SettingError(f"{manifest} does not belong to a grid. Name another folder.")
        if header["library"] != __version__:
            raise SettingError(
                f"{self.path} was begun by version {header['library']}, and this is "
                f"{__version__}: their figures are not mixed. Name another folder."
            )
        if header.get("identity") != identity:
            raise SettingError(
                f"{self.path} holds a grid of other data, settings or values. Restore those to "
                "go on with it, or name another folder."
            )
        seed = header.get("seed")
        if type(seed) is not int or not 0 <= seed < 2**31:
            raise DamagedFileError(
                f"{manifest} must hold a grid's seed; it holds {str(seed)[:40]}. Take the folder "
                "from a backup, or name another one."
            )
        return seed

    def figures(self, i: int) -> dict[str, Any] | None:
        """Figures of member i, or None if it has not ended.

        Raises
        ------
        DamagedFileError
            If the file differs from what was written.
        """
        path = self._member(i)
        if not path.exists():
            return None
        _, header = serialise.read(path)
        figures = header.get("figures")
        if header.get("kind") != "member" or not _are_figures(figures):
            raise DamagedFileError(f"{path} holds no figures of a grid's member. Remove it.")
        return figures

    def keep(self, i: int, figures: dict[str, Any]) -> None:
        """Write the figures of a member that has ended."""
        serialise.write(self._member(i), {}, {"kind": "member", "figures": figures})

    def model(self, i: int) -> Path:
        """Path of the model of member i."""
        return self._member(i).with_suffix(".wp")

    @property
    def best(self) -> Path:
        """Path of the best model."""
        return self.path / "best.wp"

    def _member(self, i: int) -> Path:
        return self.path / f"member-{i:04d}"


def _are_figures(value: Any) -> bool:
    """Whether the value is a mapping of names to numbers and texts, with the ELBO."""
    return (
        isinstance(value, dict)
        and "elbo" in value
        and isinstance(value["elbo"], (int, float, type(None)))
        and all(isinstance(v, (int, float, str, type(None))) for v in value.values())
    )
