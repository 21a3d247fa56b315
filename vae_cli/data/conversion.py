"""The command that makes an array file of a table: one line to copy."""

import csv
import shlex
from collections.abc import Mapping
from pathlib import Path

from vae_cli.data.array_names import LABEL_WORDS
from vae_cli.data.opened import open_data

HEADER = 1 << 20  # bytes in which the first line of a table ends
# A line of names is left out, and whole numbers stay whole: they are grey levels.
TEXT = (
    "import sys, numpy as n; a = n.genfromtxt(sys.argv[1], delimiter={}); "
    "a = a[int(n.isnan(a[0]).all()):]; "
    "n.save(sys.argv[2], a if (a % 1).any() else a.astype(int))"
)
LABELLED_TEXT = (
    "import sys, numpy as n; k = {label}; "
    "r = lambda **o: n.genfromtxt(sys.argv[1], delimiter={delimiter}, skip_header=1, **o); "
    "X = n.delete(r(), k, 1); "
    "n.savez(sys.argv[2], X=X if (X % 1).any() else X.astype(int), "
    "y=r(usecols=k, dtype=None, encoding=None))"
)
PANDAS = (
    "import sys, numpy as n, pandas as p; d = p.{}(sys.argv[1]); "
    f"k = [c for c in d if str(c).strip().lower() in {sorted(LABEL_WORDS)}][:1]; "
    "n.savez(sys.argv[2], X=d.drop(columns=k).to_numpy(), "
    "**{{'y': n.array(d[c].tolist()) for c in k}})"
)
DELIMITERS: Mapping[str, str | None] = {".csv": ",", ".tsv": "\t", ".txt": None, ".dat": None}
PANDAS_READERS = {
    ".parquet": "read_parquet", ".feather": "read_feather", ".xlsx": "read_excel",
}  # fmt: skip


def conversion(table: Path) -> str:
    """How to convert a table, as a sentence; empty of other files.

    A column that is called a label becomes ``y`` of an ``.npz``, beside ``X``.
    """
    suffix, target = table.suffix.lower(), ".npz"
    if suffix in DELIMITERS:
        delimiter = DELIMITERS[suffix]
        label, quoted = _label_column(table, delimiter), repr(delimiter).replace("'", '"')
        program = LABELLED_TEXT.format(label=label, delimiter=quoted)
        if label is None:
            program, target = TEXT.format(quoted), ".npy"
    elif suffix in PANDAS_READERS:
        program = PANDAS.format(PANDAS_READERS[suffix])
    else:
        return ""
    words = ["python", "-c", program, str(table), str(table.with_suffix(target))]
    return f"Convert it: {shlex.join(words)}"


def _label_column(table: Path, delimiter: str | None) -> int | None:
    """The column whose name in the first line is that of a label; None if no name is."""
    try:
        with open_data(table) as file:
            line = file.readline(HEADER).decode("utf-8-sig")
    except (OSError, ValueError):
        return None
    names = line.split() if delimiter is None else next(csv.reader([line], delimiter=delimiter), [])
    found = (i for i, name in enumerate(names) if name.strip("\"' \n").lower() in LABEL_WORDS)
    return next(found, None)
