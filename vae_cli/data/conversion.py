"""The command that makes an array file of a table: one line to copy."""

import shlex
from collections.abc import Mapping
from pathlib import Path

# A line of names is left out, and whole numbers stay whole: they are grey levels.
TEXT = (
    'import sys, numpy as n; a = n.genfromtxt(sys.argv[1], delimiter={}); '
    "a = a[int(n.isnan(a[0]).all()):]; "
    "n.save(sys.argv[2], a if (a % 1).any() else a.astype(int))"
)  # fmt: skip
PANDAS = "import sys, numpy as n, pandas as p; n.save(sys.argv[2], p.{}(sys.argv[1]).to_numpy())"
PROGRAMS: Mapping[str, str] = {  # by the ending of the table
    ".csv": TEXT.format('","'),
    ".tsv": TEXT.format(r'"\t"'),
    ".txt": TEXT.format("None"),
    ".dat": TEXT.format("None"),
    ".parquet": PANDAS.format("read_parquet"),
    ".feather": PANDAS.format("read_feather"),
    ".xlsx": PANDAS.format("read_excel"),
}


def conversion(table: Path) -> str:
    """How to convert a table, as a sentence; empty of other files."""
    program = PROGRAMS.get(table.suffix.lower())
    if program is None:
        return ""
    words = ["python", "-c", program, str(table), str(table.with_suffix(".npy"))]
    return f"Convert it: {shlex.join(words)}"
