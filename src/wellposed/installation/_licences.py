"""Licences of the packages that the library needs, as their own metadata state them."""

import re
from importlib import metadata

from ._packages import LIBRARY, requirements, stated

PERMISSIVE = (
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "HPND",
    "ISC",
    "MIT",
    "MIT-CMU",
    "PSF-2.0",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
)
"""Licences that allow any use if their notice is kept, by their SPDX names.

MPL-2.0 is none of them: changes of its own files must be published. It is that of tqdm in part,
which numpyro needs.
"""
# What metadata of packages write for a licence in place of its SPDX name.
_WORDS = {
    r"apache(?: software)?(?: license)?(?:,? version)? ?2(?:\.0)?|apache(?: software)? license": (
        "Apache-2.0"
    ),
    r"(?:3-clause|new|modified|simplified) bsd(?: license)?|bsd(?: license)?": "BSD-3-Clause",
    r"(?:the )?mit license(?: \(mit\))?|expat": "MIT",
    r"python software foundation license|psf(?: license)?": "PSF-2.0",
    r"mozilla public license 2\.0 \(mpl 2\.0\)": "MPL-2.0",
    r"isc license(?: \(iscl\))?": "ISC",
}
_LONGEST = 120  # characters; some fields hold the whole text of a licence
UNSTATED = "not stated"


def licences(extras: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the licence of each installed package that the library needs, by name.

    Packages that those need in turn are among them. A licence is an SPDX name or expression, or
    the words of the package; "not stated" where its metadata have none.

    Parameters
    ----------
    extras : names of extras of the library, whose packages are to be listed as well

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If the library itself runs from its source and is not installed as a package.

    Examples
    --------
    >>> licences()["numpyro"]
    'Apache-2.0'
    """
    found: dict[str, str] = {}
    wanted = [LIBRARY]
    while wanted:
        name = wanted.pop()
        given = extras if name == LIBRARY else ()
        wanted += [
            each.name
            for each in requirements(name)
            if (each.extra is None or each.extra in given)
            and each.installed is not None
            and _key(each.name) not in map(_key, (*found, *wanted))
        ]
        found[name] = licence_of(name)
    found.pop(LIBRARY)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def licence_of(name: str) -> str:
    """Return the licence that the metadata of an installed package state."""
    classified = [
        each.rsplit(" :: ", 1)[1]
        for each in metadata.metadata(name).get_all("Classifier") or []
        if each.startswith("License :: ") and not each.endswith("OSI Approved")
    ]
    field = stated(name, "License")
    short = field if 0 < len(field) <= _LONGEST and "\n" not in field else _first_words(field)
    expression = stated(name, "License-Expression")
    licence = expression or " AND ".join(map(_spdx, classified)) or short
    return _spdx(licence) if licence else UNSTATED


def is_permissive(licence: str) -> bool:
    """Return whether a licence allows any use if its notice is kept.

    Of an expression with OR one part is enough, of one with AND all are needed.

    Parameters
    ----------
    licence : SPDX name or expression

    Examples
    --------
    >>> is_permissive("MIT OR GPL-3.0-only"), is_permissive("MIT AND GPL-3.0-only")
    (True, False)
    """
    licence = licence.strip()
    for word, combine in (("OR", any), ("AND", all)):
        parts = _outermost(licence, word)
        if len(parts) > 1:
            return combine(map(is_permissive, parts))
    if licence.startswith("(") and licence.endswith(")"):
        return is_permissive(licence[1:-1])
    return licence in PERMISSIVE


def _outermost(text: str, word: str) -> list[str]:
    """Split an expression at a word that stands in no parentheses."""
    parts, depth = [""], 0
    for token in re.findall(r"[()]|[^\s()]+", text):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == word and depth == 0:
            parts.append("")
        else:
            parts[-1] += f" {token}"
    return parts


def _spdx(words: str) -> str:
    for pattern, name in _WORDS.items():
        if re.fullmatch(pattern, words.strip(), re.IGNORECASE):
            return name
    return words.strip()


def _first_words(text: str) -> str:
    """Name a licence by the first line of its text."""
    return text.strip().split("\n")[0][:_LONGEST].strip()


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
