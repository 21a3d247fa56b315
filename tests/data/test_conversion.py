"""The command that a message gives to convert a table, run as it stands."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vae_cli.data import array
from vae_cli.data.conversion import DELIMITERS, PANDAS_READERS
from vae_cli.errors import InvalidOption

NUMBERS = np.random.default_rng(0).integers(0, 256, (20, 9))
LABELS = np.arange(20) % 4
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": " ", ".dat": "  "}


class Frame:
    """What the commands use of a table of pandas."""

    def __init__(self, columns: dict[str, np.ndarray]) -> None:
        self.columns = columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def drop(self, columns: Sequence[str]) -> "Frame":
        return Frame({k: v for k, v in self.columns.items() if k not in columns})

    def to_numpy(self) -> np.ndarray:
        return np.stack([*self.columns.values()], 1)


@pytest.mark.parametrize("divisor", [1, 255])
@pytest.mark.parametrize("label", [None, "label", " Class", '"y"'])
@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("suffix", [*DELIMITERS, *PANDAS_READERS])
def test_command_makes_an_array(
    suffix: str, header: bool, label: str | None, divisor: int, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    is_frame = suffix in PANDAS_READERS
    if label and not (header or is_frame):
        return  # nothing tells that it is one
    table = tmp_path / f"it's (1){suffix}"
    values = NUMBERS / divisor if divisor > 1 else NUMBERS
    columns = {f"pixel{i}": column for i, column in enumerate(values.T)}
    texts = [[f"{value:.17g}" for value in row] for row in values]
    if label:
        columns = {label.strip('"'): LABELS} | columns
        texts = [[f"c{value}", *row] for value, row in zip(LABELS, texts, strict=True)]
    separator = SEPARATORS.get(suffix, ",")
    first = (label if separator.strip() else label and label.strip()) or "pixel"
    lines = [[first, *[*columns][1:]], *texts][not header :]
    table.write_text("\n".join(map(separator.join, lines)))
    readers = dict.fromkeys(PANDAS_READERS.values(), lambda file: Frame(columns))
    with pytest.raises(InvalidOption) as raised:
        array.load(str(table))
    assert "needs a file that ends in .npy" in raised.value.rule
    python, flag, program, *arguments = shlex.split(raised.value.remedy.partition(": ")[2])
    assert (python, flag) == ("python", "-c")
    monkeypatch.setattr(sys, "argv", [flag, *arguments])
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(**readers))
    exec(program, {})
    dataset = array.load(arguments[-1], shape=[1, 3, 3])
    assert dataset.levels == (256 if divisor == 1 else None)
    assert [len(part) for part in dataset.parts.values()] == [16, 2, 2]
    names = [str(value) if is_frame else f"c{value}" for value in range(4)]
    assert [*dataset.classes] == (names if label and not is_frame else [])
    found = torch.cat([part.labels for part in dataset.parts.values()])
    assert sorted(found.tolist()) == (sorted(LABELS.tolist()) if label else [-1] * 20)


def test_other_files_get_no_command(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption) as raised:
        array.load(str(tmp_path / "images.h5"))
    assert raised.value.remedy == ""
