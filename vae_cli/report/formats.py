"""A table of text as papers and programs want it."""

import csv
import io
from collections.abc import Callable, Sequence

from vae_cli.console import printable
from vae_cli.run import escape
from vae_cli.run.table import Table

TREATMENT = "treatment"  # of the data: a column in a csv, elsewhere the title


def as_csv(tables: Sequence[Table]) -> str:
    """Tables as one, numbers apart from their errors; what heads a table is a column."""
    file = io.StringIO()
    heads = list(dict.fromkeys(head for table in tables for head in _split_heads(table)))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(escape.as_csv, [TREATMENT, *heads]))
    for table in tables:
        for row in table.rows:
            cells = [cell for i, text in enumerate(row) for cell in _split(table, i, text)]
            named = dict(zip(_split_heads(table), cells, strict=True))
            line = [table.title, *(named.get(head, "") for head in heads)]
            writer.writerow(map(escape.as_csv, line))
    return file.getvalue()


def _split_heads(table: Table) -> list[str]:
    heads = [
        (head, f"{head} error") if _has_errors(table, i) else (head,)
        for i, head in enumerate(table.heads)
    ]
    return [name for names in heads for name in names]


def _split(table: Table, column: int, text: str) -> tuple[str, ...]:
    if not _has_errors(table, column):
        return (text,)
    value, _, error = text.partition(" ± ")
    return value, error


def _has_errors(table: Table, column: int) -> bool:
    return column in table.numbers and any(" ± " in row[column] for row in table.rows)


def as_markdown(tables: Sequence[Table]) -> str:
    """Tables of GitHub's Markdown."""
    parts = []
    for table in tables:
        rules = ["---:" if i in table.numbers else "---" for i in range(len(table.heads))]
        texts = [list(map(escape.as_markdown, row)) for row in (table.heads, *table.rows)]
        rows = [texts[0], rules, *texts[1:]]
        lines = [f"| {' | '.join(cells)} |" for cells in rows]
        parts.append("\n".join([escape.as_markdown_line(table.title), "", *lines]))
    return "\n\n".join(parts) + "\n"


def as_latex(tables: Sequence[Table]) -> str:
    """Tables in LaTeX, for the package booktabs."""
    parts = []
    for table in tables:
        columns = "".join("r" if i in table.numbers else "l" for i in range(len(table.heads)))
        texts = [" & ".join(map(escape.as_latex, r)) + r" \\" for r in (table.heads, *table.rows)]
        heads, *rows = texts
        lines = [
            f"% {printable(table.title)}", rf"\begin{{tabular}}{{{columns}}}", r"\toprule",
            heads, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}",
        ]  # fmt: skip
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


WRITTEN: dict[str, Callable[[Sequence[Table]], str]] = {
    "csv": as_csv,
    "markdown": as_markdown,
    "latex": as_latex,
}
