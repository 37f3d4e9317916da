"""Requirements of the library as it is installed, and the packages that meet them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

LIBRARY = "wellposed"
EXTRAS = {
    "data": "Parquet and Arrow files, folders of images",
    "explore": "wellposed explore, the page in a browser",
    "flow": 'prior="flow"',
    "hub": "wp.push_to_hub, and wp.load of hf:// addresses",
    "plot": "figures, reports, wellposed demo and reproduce",
    "scale": "Zarr stores, and what `data` has",
    "torch": "wp.to_torch",
}
"""What each extra of the installation is for, by its name; those of developers are left out."""
_NAME = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*\(?([^;)]*)")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


@dataclass(frozen=True)
class Requirement:
    """One line of the requirements of a package."""

    name: str
    versions: str  # such as ">=2.0"; empty where any will do
    extra: str | None

    @property
    def installed(self) -> str | None:
        """Version that is installed, None if none is."""
        return installed(self.name)

    @property
    def is_old(self) -> bool:
        """Whether an installed version is below the lowest one that is declared."""
        least = re.search(r">=\s*([0-9.]+)", self.versions)
        found = self.installed
        return bool(least and found and _numbers(found) < _numbers(least[1]))


def installed(name: str) -> str | None:
    """Return the installed version of a package, None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def stated(name: str, field: str) -> str:
    """Return a field of the metadata of an installed package, "" if it has none."""
    return (metadata.metadata(name).get_all(field) or [""])[0].strip()


def requirements(name: str = LIBRARY) -> list[Requirement]:
    """Return the requirements of an installed package, those of its extras among them.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If it is not installed as a package.
    """
    return list(_parsed(metadata.requires(name) or []))


def _parsed(lines: list[str]) -> Iterator[Requirement]:
    for line in lines:
        found, extra = _NAME.match(line), _EXTRA.search(line)
        if found:
            yield Requirement(found[1], found[2].strip(), extra[1] if extra else None)


def _numbers(version: str) -> tuple[int, ...]:
    """Leading numbers of a version; zeros at the end do not count."""
    found = re.match(r"[0-9.]*", version)
    numbers = [int(part) for part in (found[0] if found else "").split(".") if part]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
