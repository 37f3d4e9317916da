"""A diagnosis as HTML."""

from collections.abc import Iterable
from html import escape
from typing import Any

_STYLE = """
.wp-diagnosis { font: 15px/1.5 system-ui, sans-serif; max-width: 46rem; color: #1a1a1a; }
.wp-diagnosis h1 { font-size: 1.15rem; }
.wp-diagnosis dl { margin: 0; }
.wp-diagnosis dt { font-weight: 600; margin-top: 1rem; }
.wp-diagnosis dd { margin: 0 0 0 1.4rem; }
.wp-diagnosis dd.remedy { font-style: italic; }
.wp-diagnosis table { border-collapse: collapse; font-size: 0.85rem; }
.wp-diagnosis td { padding: 0 1rem 0 0; font-variant-numeric: tabular-nums; }
.wp-diagnosis .sound { color: #15693a; } .wp-diagnosis .fault { color: #a3261b; }
.wp-diagnosis .caution { color: #7a5200; } .wp-diagnosis .open { color: #245a8c; }
"""
_DARK = """
@media (prefers-color-scheme: dark) {
  body { background: #161616; }
  .wp-diagnosis { color: #e6e6e6; }
  .wp-diagnosis .sound { color: #6fcf97; } .wp-diagnosis .fault { color: #ff8a80; }
  .wp-diagnosis .caution { color: #e5b567; } .wp-diagnosis .open { color: #8ec5ff; }
}
"""
_WHOLE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
    "<body><main>{body}</main></body></html>"
)


def page(title: str, summary: str, findings: Iterable[Any], *, whole: bool) -> str:
    """Lay findings out: a whole page, or a piece of one."""
    entries = "".join(_entry(found) for found in findings)
    style = _STYLE + (_DARK if whole else "")
    body = (
        f'<style>{style}</style><div class="wp-diagnosis"><h1>{escape(title)}</h1>'
        f"<p><strong>{escape(summary)}</strong></p><dl>{entries}</dl></div>"
    )
    return _WHOLE.format(title=escape(title), body=body) if whole else body


def _entry(found: Any) -> str:
    told = f'<dt class="{found.verdict}">{escape(found.question)} {found.verdict}</dt>'
    told += f"<dd>{escape(found.said)}</dd>"
    if found.remedy:
        told += f'<dd class="remedy">{escape(found.remedy)}</dd>'
    if not found.figures:
        return told
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{value:.4g}</td></tr>"
        for name, value in found.figures.items()
    )
    return f"{told}<dd><details><summary>figures</summary><table>{rows}</table></details></dd>"
