"""Formulas as MathML, which browsers draw without a script: nothing is fetched to read a page."""

import re
from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)
UNKNOWN = re.compile(r"<m[io][^>]*>\s*\\[A-Za-z]+")


def mathml(latex: str, node: nodes.Node, display: str) -> str:
    """Return a formula in MathML; warn where a command is unknown."""
    found = convert(latex, display=display)
    if unknown := UNKNOWN.search(found):
        logger.warning("MathML has no %s in %r", unknown.group(), latex, location=node)
    # A long formula scrolls on a narrow screen, and the keyboard reaches what scrolls.
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
    writer.body.append('<div class="math-block" tabindex="0">')
    writer.body.append(mathml(latex, node, "block"))
    writer.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer; ``html_math_renderer = "mathml"`` chooses it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
