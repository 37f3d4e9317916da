"""Formulas as MathML, which browsers draw without a script: nothing is fetched to read a page."""

import re
from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)
UNKNOWN = re.compile(r"<m[io][^>]*>\s*(\\[A-Za-z]+|&(?=<))")  # also an alignment without a table
# Relations and arrows that the converter returns as names, which have no space around them.
RELATION = re.compile(r"<mi>&#x0(007E|21[9A-F].|22[0-9A-F].|27[EF].);</mi>")
NAMES = {"2202", "2205", "2207", "221E"}  # ∂, ∅, ∇ and ∞
FUNCTION = re.compile(r"<m[io][^>]*>(arg|cos|cosh|det|exp|log|max|min|sin|sup|tanh|tr)</m[io]>")
WORD = re.compile(r"(?<![A-Za-z\\{])(AIS|ELBO|KL|NB|VAE)(?![A-Za-z}])")  # a name, not a product
FENCE = re.compile(r"(?:</m\w+>|<m[np]\w*>.*?</m[np]\w*>)*<mo[^>]*>(?:&#x00028;|&#x0005B;)")


def relation(match: re.Match[str]) -> str:
    """Return a relation as an operator; browsers put space around it."""
    code = {"007E": "223C"}.get(match[1], match[1])
    return match[0] if code in NAMES else f"<mo>&#x0{code};</mo>"


def function(match: re.Match[str]) -> str:
    """Return the name of a function as an operator with a thin space before and after it."""
    after = "0" if FENCE.match(match.string, match.end()) else "0.17em"
    space = f'lspace="0.17em" rspace="{after}"'
    return f'<mo form="prefix" {space} movablelimits="false">{match[1]}</mo>'


def mathml(latex: str, node: nodes.Node, display: str) -> str:
    """Return a formula in MathML; warn where a command is unknown."""
    source = WORD.sub(r"\\mathrm{\1}", latex).replace("{aligned}", "{align*}")
    found = convert(source, display=display)
    if unknown := UNKNOWN.search(found):
        logger.warning("MathML has no %s in %r", unknown.group(), latex, location=node)
    found = FUNCTION.sub(function, RELATION.sub(relation, found))
    return found.replace("<math ", f'<math alttext="{escape(latex)}" ', 1)


def visit_inline(writer: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    writer.body.append(mathml(node.astext(), node, "inline"))
    raise nodes.SkipNode


def visit_block(writer: Any, node: nodes.math_block) -> None:
    """Write a formula on lines of its own; lines of an alignment are made one table."""
    latex = node.astext()
    if r"\\" in latex and r"\begin" not in latex:
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    # A long formula scrolls on a narrow screen, and the keyboard reaches what scrolls.
    writer.body.append('<div class="math-block" tabindex="0" role="group" aria-label="formula">')
    writer.body.append(mathml(latex, node, "block"))
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer; ``html_math_renderer = "mathml"`` chooses it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
