"""Formulas of the site as MathML, which browsers draw without a script or a network."""

import html
import re

from latex2mathml.converter import convert

FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">'
    r"\\(?:\((?P<inline>.*?)\\\)|\[(?P<block>.*?)\\\])</(?P=tag)>",
    re.DOTALL,
)


def on_page_content(content: str, **_: object) -> str:
    """Replace the formulas that the Markdown extension marked in a page's HTML."""
    return FORMULA.sub(_as_mathml, content)


def _as_mathml(formula: re.Match[str]) -> str:
    if formula["inline"] is not None:
        return convert(html.unescape(formula["inline"]))
    return convert(html.unescape(formula["block"]), display="block")
