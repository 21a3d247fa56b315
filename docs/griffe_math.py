"""Formulas of docstrings, which are written for Sphinx, as the site's Markdown has them."""

import re
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":math:`([^`]+)`")
DIRECTIVE = re.compile(r"^\.\. math:: ?(.*(?:\n(?:[ \t]+.*|[ \t]*))*)", re.MULTILINE)


class SphinxMath(Extension):
    """Turns ``.. math::`` into a display formula and the role ``:math:`` into an inline one."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of an object that was just read."""
        if obj.docstring:
            text = DIRECTIVE.sub(_as_display, obj.docstring.value)
            obj.docstring.value = ROLE.sub(r"$\1$", text)


def _as_display(directive: re.Match[str]) -> str:
    return "$$\n" + " ".join(directive[1].split()) + "\n$$\n\n"
