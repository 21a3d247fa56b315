"""Texts of anybody's run as the files of other programs may hold them: as what they are, texts."""

import re
import unicodedata

from vae_cli.console import printable

NUMBER = r"[+-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?"
NUMBERS = re.compile(rf"{NUMBER}( \({NUMBER} … {NUMBER}\))?", re.IGNORECASE)  # an interval, too
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # how a spreadsheet tells one
# An underscore within a word means nothing, and "batch_size" is easier to read.
MARKDOWN = re.compile(
    r"[\\`*\[\]<>|~$&#!]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=\bwww)\.", re.IGNORECASE
)
LIST = re.compile(r"[-+=]|\d+[.)]")  # how a list begins, or the line below a heading
LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$",
    "−": "$-$", "≥": r"$\geq$", "≤": r"$\leq$", "…": r"\dots{}", "Δ": r"$\Delta$",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "[": "{[}", "]": "{]}", "*": "{*}",  # what may follow the end of a row, as an option of it
}  # fmt: skip


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; a number stays one."""
    first = unicodedata.normalize("NFKC", text.strip(" \"'")[:1])  # there are wide ones, too
    is_formula = first in FORMULA and not NUMBERS.fullmatch(text)
    return f"'{printable(text)}" if is_formula else printable(text)


def markdown_text(text: str) -> str:
    """A text within a line of GitHub's Markdown: no markup, HTML, link or end of a cell."""
    return MARKDOWN.sub(lambda sign: f"\\{sign[0]}", printable(text).strip())


def as_markdown_line(text: str) -> str:
    """The same as a line of itself, which begins no list and underlines nothing."""
    line = markdown_text(text)
    start = LIST.match(line)
    return line if start is None else f"{line[: start.end() - 1]}\\{line[start.end() - 1 :]}"


def latex_text(text: str) -> str:
    """A text of LaTeX: no control sequences."""
    return "".join(LATEX.get(sign, sign) for sign in printable(text))
