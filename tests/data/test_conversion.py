"""The command that a message gives to convert a table, run as it stands."""

import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vae_cli.data import array
from vae_cli.data.conversion import PROGRAMS
from vae_cli.errors import InvalidOption

NUMBERS = np.random.default_rng(0).integers(0, 256, (20, 9))
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": " ", ".dat": "  "}


@pytest.mark.parametrize("divisor", [1, 255])
@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("suffix", PROGRAMS)
def test_command_makes_an_array(
    suffix: str, header: bool, divisor: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, values = tmp_path / f"it's (1){suffix}", NUMBERS / divisor if divisor > 1 else NUMBERS
    separator = SEPARATORS.get(suffix, ",")
    names = separator.join(f"pixel{i}" for i in range(9)) if header else ""
    np.savetxt(table, values, "%.17g", separator, header=names, comments="")
    frame = SimpleNamespace(to_numpy=lambda: values)
    readers = ("read_parquet", "read_feather", "read_excel")
    pandas = SimpleNamespace(**dict.fromkeys(readers, lambda file: frame))
    with pytest.raises(InvalidOption) as raised:
        array.load(str(table))
    assert "needs a file that ends in .npy" in raised.value.rule
    python, flag, program, *arguments = shlex.split(raised.value.remedy.partition(": ")[2])
    assert (python, flag) == ("python", "-c")
    monkeypatch.setattr(sys, "argv", [flag, *arguments])
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    exec(program, {})
    dataset = array.load(arguments[-1], shape=[1, 3, 3])
    assert dataset.levels == (256 if divisor == 1 else None)
    assert [len(part) for part in dataset.parts.values()] == [16, 2, 2]


def test_other_files_get_no_command(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption) as raised:
        array.load(str(tmp_path / "images.h5"))
    assert raised.value.remedy == ""
