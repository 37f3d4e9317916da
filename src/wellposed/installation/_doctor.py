"""One page on an installation, and whether it computes as released."""

from dataclasses import asdict, dataclass
from typing import Any

from . import _facts, _self_test
from ._self_test import Check

Table = tuple[dict[str, str], ...]

_BROKEN = "Run `pip install --upgrade jax jaxlib equinox numpyro` and try again."


@dataclass(frozen=True)
class Checkup:
    """What is installed, where, and what the self-test found.

    Attributes
    ----------
    packages, extras, machine, devices, folders : tables
        One dict a row, of texts.
    checks : figures of the self-test; empty where it was not asked for
    problems : each with its remedy; empty where none was found

    Examples
    --------
    >>> Checkup((), (), (), (), (), checks=(), problems=("No figure was computed.",)).sound
    False
    """

    packages: Table
    extras: Table
    machine: Table
    devices: Table
    folders: Table
    checks: tuple[Check, ...]
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether no problem was found."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as dicts, lists and texts."""
        return asdict(self) | {"sound": self.sound}

    def __str__(self) -> str:
        tables = (self.packages, self.extras, self.machine, self.devices, self.folders)
        parts = [_aligned(table) for table in tables if table]
        if self.checks:
            parts.append(_aligned(tuple(map(_row, self.checks))))
        return "\n\n".join([*parts, self._verdict()])

    def _verdict(self) -> str:
        if not self.sound:
            return "\n".join(["Problems:", *(f"  {problem}" for problem in self.problems)])
        if not self.checks:
            return "The packages are as needed. The self-test was not run."
        seconds = sum(check.seconds for check in self.checks)
        return f"All figures are as expected ({seconds:.1f} s)."


def doctor(*, self_test: bool = True) -> Checkup:
    """Examine the installation: versions, devices, caches, and figures with expected values.

    The self-test computes log p(x) of the digits by pPCA and by a VAE with the same decoder, an
    ELBO whose exact value is known, and a compressed and a saved array that must come back. It
    takes a few seconds, and needs no network.

    Parameters
    ----------
    self_test : whether to compute the figures

    Returns
    -------
    Checkup, which prints as a page; ``sound`` is False if a figure differs, or could not be
    computed, or a package is missing or too old

    Examples
    --------
    >>> found = doctor(self_test=False)
    >>> found.packages[1]["package"]
    'wellposed'
    """
    packages, problems = _facts.packages()
    tables = {}
    for name in ("extras", "machine", "devices", "folders"):
        try:
            tables[name] = getattr(_facts, name)()
        except Exception as failure:  # of whatever kind, such as a JAX that cannot be imported
            tables[name] = ({name: f"cannot tell ({type(failure).__name__}: {failure})"},)
            problems.append(f"{name}: {type(failure).__name__}: {failure} {_BROKEN}")
    checks = _self_test.run() if self_test else ()
    problems += [_problem(check) for check in checks if not check.passed]
    return Checkup(packages, **tables, checks=checks, problems=tuple(problems))


def _aligned(rows: Table) -> str:
    """Lines of a table. It needs no other room: the page is printed where JAX is broken, too."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _problem(check: Check) -> str:
    if check.found is None:
        return f"{check.name}: it could not be computed ({check.error}). {check.remedy}"
    return (
        f"{check.name}: must be {check.expected:.6g} to within {check.tolerance:.2g}; "
        f"got {check.found:.6g}. {check.remedy}"
    )


def _row(check: Check) -> dict[str, str]:
    found = "cannot tell" if check.found is None else f"{check.found:.4f}"
    return {
        "self-test": check.name,
        "expected": f"{check.expected:.4f}",
        "found": found,
        "within": f"{check.tolerance:.2g}",
        "": "ok" if check.passed else "DIFFERS",
        "seconds": f"{check.seconds:.1f}",
    }
