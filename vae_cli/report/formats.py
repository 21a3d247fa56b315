"""A table of text as papers and programs want it."""

import csv
import io
import re
from collections.abc import Callable, Sequence

from vae_cli import escape
from vae_cli.console import printable
from vae_cli.report.sheet import Sheet
from vae_cli.terminal.table import Table

TREATMENT = "treatment"  # of the data: a column in a csv, elsewhere the title
MINUS = re.compile(r"(?<![\w.-])-(?=\d)")
PREAMBLE = r"% In the preamble: \usepackage{booktabs} \usepackage{graphicx}"
FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"


def as_csv(sheets: Sequence[Sheet | Table]) -> str:
    """All tables as one, with unrounded numbers. The first column is the treatment of the data."""
    records = [{TREATMENT: sheet.title, **record} for sheet in sheets for record in _records(sheet)]
    heads = list(dict.fromkeys([TREATMENT, *(head for record in records for head in record)]))
    heads = [h for h in heads if h == TREATMENT or any(record.get(h) for record in records)]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(escape.csv_cell, heads))
    for record in records:
        writer.writerow(escape.csv_cell(record.get(head, "")) for head in heads)
    return file.getvalue()


def _records(sheet: Sheet | Table) -> list[dict[str, str]]:
    if isinstance(sheet, Sheet):
        return sheet.exported()
    return [dict(zip(sheet.heads, row, strict=True)) for row in sheet.rows]


def _table(sheet: Sheet | Table) -> Table:
    return sheet.shown() if isinstance(sheet, Sheet) else sheet


def as_markdown(sheets: Sequence[Sheet | Table]) -> str:
    """Tables of GitHub's Markdown."""
    parts = []
    for table in map(_table, sheets):
        rules = ["---:" if i in table.numbers else "---" for i in range(len(table.heads))]
        texts = [list(map(escape.markdown_text, row)) for row in (table.heads, *table.rows)]
        rows = [texts[0], rules, *texts[1:]]
        lines = [f"| {' | '.join(cells)} |" for cells in rows]
        titles = [*map(escape.as_markdown_line, table.title.split("\n"))]
        parts.append("\n".join(["  \n".join(titles), "", *lines]))
    return "\n\n".join(parts) + "\n"


def as_latex(sheets: Sequence[Sheet | Table]) -> str:
    """Tables in LaTeX, each no wider than the page."""
    parts = [PREAMBLE]
    for table in map(_table, sheets):
        columns = "".join("r" if i in table.numbers else "l" for i in range(len(table.heads)))
        texts = [[escape.latex_text(text) for text in row] for row in (table.heads, *table.rows)]
        heads, *rows = (
            " & ".join(MINUS.sub("$-$", c) if i in table.numbers else c for i, c in enumerate(row))
            + r" \\"
            for row in texts
        )
        lines = [
            *(f"% {printable(line)}" for line in table.title.split("\n")), FITTED,
            rf"\begin{{tabular}}{{{columns}}}", r"\toprule", heads, r"\midrule", *rows,
            r"\bottomrule", r"\end{tabular}}",
        ]  # fmt: skip
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


MARKS = {  # what the files have that vae-compare writes
    "csv": re.compile(rb"\A" + TREATMENT.encode() + rb",(.*,)?run,runs\b"),
    "markdown": re.compile(rb"\| run \| runs \|"),
    "latex": re.compile(rb"\A" + re.escape(PREAMBLE.encode())),
}
WRITTEN: dict[str, Callable[[Sequence[Sheet | Table]], str]] = {
    "csv": as_csv,
    "markdown": as_markdown,
    "latex": as_latex,
}
