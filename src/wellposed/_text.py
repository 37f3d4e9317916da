"""Escaping and shortening of text from outside: names, labels, paths, messages of readers.

Terminals execute control characters, matplotlib reads dollar signs as TeX, and a name of five
hundred characters fills a figure.
"""

import unicodedata

# Joiners are part of emoji and of Persian words; every other format character hides or reverses its
# neighbours.
_JOINERS = "\u200c\u200d"
# Control, surrogate, private use, unassigned, format; separators of lines and of paragraphs.
_UNSEEN = frozenset({"Cc", "Cs", "Co", "Cn", "Cf", "Zl", "Zp"})
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

IN_A_FIGURE = 40  # characters of a name


def visible(text: object) -> str:
    r"""Return ``text`` with every character that cannot be seen written as its escape.

    A lone surrogate, which no encoding can write, becomes an escape as well.

    Examples
    --------
    >>> visible("a\x1b[31mred\n")
    'a\\x1b[31mred\\n'
    """
    found = str(text)
    if found.isprintable():
        return found
    return "".join(map(_escape, found))


def paragraph(text: object) -> str:
    """Return a message as one paragraph: :func:`visible`, its line ends being spaces.

    Examples
    --------
    >>> paragraph("Names are unlike:\\n- a\\n- b")
    'Names are unlike: - a - b'
    """
    return " ".join(visible(line).strip() for line in str(text).splitlines() if line.strip())


def cut(text: str, most: int) -> str:
    """Return at most ``most`` characters: the beginning and the end of the text.

    Examples
    --------
    >>> cut("temperature_outside_1", 12)
    'temperat…e_1'
    """
    if len(text) <= most:
        return text
    tail = (most - 1) // 3
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


def in_figure(text: object) -> str:
    r"""Return a name for matplotlib, without TeX and without a leading underscore.

    Examples
    --------
    >>> in_figure("income_$_to_$"), in_figure("")
    ('income_\\$_to_\\$', '(no name)')
    """
    seen = cut(visible(text), IN_A_FIGURE)
    if not seen.strip():
        return "(no name)"
    # A legend leaves out names that begin with an underscore.
    return no_tex(f"\u2009{seen}" if seen.startswith("_") else seen)


def no_tex(text: object) -> str:
    r"""Return a title for matplotlib: visible, with its line ends, without TeX.

    Examples
    --------
    >>> no_tex("costs in $, then in $")
    'costs in \\$, then in \\$'
    """
    return "\n".join(map(visible, str(text).split("\n"))).replace("$", r"\$")


def _escape(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _UNSEEN:
        return character
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
