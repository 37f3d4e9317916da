"""What is published: the wheel holds the library alone, the sdist all that builds and tests it."""

import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import wellposed as wp

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("src", "tests", "docs", "benchmarks", ".ci")
CACHES = ("__pycache__", ".egg-info", ".ruff_cache", ".pytest_cache")

if not (ROOT / "pyproject.toml").is_file():
    pytest.skip("the tests run away from their sources", allow_module_level=True)


def files_under(folder: Path) -> set[str]:
    """Paths of the files of a folder, from the root, without caches."""
    return {
        str(path.relative_to(ROOT))
        for path in folder.rglob("*")
        if path.is_file() and not any(part.endswith(CACHES) for part in path.parts)
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Names in the wheel and in the sdist, and the metadata of the wheel."""
    from hatchling.builders.sdist import SdistBuilder
    from hatchling.builders.wheel import WheelBuilder

    folder = str(tmp_path_factory.mktemp("dist"))
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=folder, versions=["standard"])
    (sdist,) = SdistBuilder(str(ROOT)).build(directory=folder, versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        within = set(archive.namelist())
        (path,) = (name for name in within if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(path).decode()
    with tarfile.open(sdist) as archive:
        source = {member.name.partition("/")[2] for member in archive if member.isfile()}
    return within, source, metadata


def test_the_wheel_is_the_library_with_its_pages_and_types(built):
    wheel, _, metadata = built
    library = {name.removeprefix("src/") for name in files_under(ROOT / "src")}
    assert library <= wheel
    assert "wellposed/py.typed" in library
    others = {name for name in wheel - library if "__pycache__" not in name}
    folder = f"wellposed-{wp.__version__}.dist-info"
    assert {name.partition("/")[0] for name in others} == {folder}
    assert {f"{folder}/entry_points.txt", f"{folder}/licenses/LICENSE"} <= others
    assert f"\nVersion: {wp.__version__}\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "\nClassifier: Typing :: Typed\n" in metadata


def test_the_sdist_builds_and_tests_the_library(built):
    _, sdist, _ = built
    for folder in SOURCES:
        assert files_under(ROOT / folder) <= sdist, folder
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    documents = {path.name for path in ROOT.glob("*.md")} | {"CITATION.cff", project["readme"]}
    assert {"pyproject.toml", "PKG-INFO", "LICENSE", *documents} <= sdist
    assert not [name for name in sdist if name.startswith((".git/", "dist/", "build/"))]


def test_the_extra_of_all_brings_every_extra_of_users(built):
    _, _, metadata = built
    extras = {extra: set() for extra in re.findall(r"^Provides-Extra: (.+)$", metadata, re.M)}
    lines = re.findall(r"^Requires-Dist: (\S+); extra == '(.+)'$", metadata, re.MULTILINE)
    for requirement, extra in lines:
        extras[extra].add(requirement)
    assert {"matplotlib>=3.9"} == extras["plot"]
    of_users = set(extras) - {"all", "dev", "docs", "test", "torch"}
    assert extras["all"] == set().union(*(extras[extra] for extra in of_users))
