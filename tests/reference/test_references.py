"""The numbers of the literature that ship."""

from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from vae_cli import conf
from vae_cli.config.keys import SHARED
from vae_cli.options import read
from vae_cli.reference.published import Published
from vae_cli.terminal.comparable import columns
from vae_cli.terminal.quantity import quantity

FOLDER = Path(conf.__path__[0])
FILES = sorted((FOLDER / "reference").glob("*.yaml"))
DATASETS = {OmegaConf.load(f).get("name", f.stem) for f in (FOLDER / "data").glob("*.yaml")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_numbers_have_names_signs_and_a_source(file: Path) -> None:
    found = instantiate(OmegaConf.load(file), _convert_="all")
    assert isinstance(found, Published) and len(found.source) > 20 and found.rows
    assert found.treatment["data"] in DATASETS
    annotations = SHARED["data"]
    assert read(annotations["binarize"]).accepts(found.treatment["binarize"])
    for numbers in found.rows.values():
        assert {name.removesuffix("_se") for name in numbers} <= set(columns([], is_wide=True))
        for name, number in numbers.items():
            is_positive = name.endswith("_se") or quantity(name).digits == 3
            assert number > 0 if is_positive else number < 0  # a bound on log p(x)
        if {"elbo", "log_likelihood"} <= set(numbers):
            assert numbers["elbo"] <= numbers["log_likelihood"]
