"""Choices that do not go together are refused in one line that names both sides."""

from pathlib import Path

import pytest

from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.errors import ConfigError

OWN = '''
"""A posterior whose draws carry no gradient, and a dataset of sequences."""

import torch
from torch.distributions import Independent, VonMises

from vae_cli.data.dataset import Dataset, StoredImages
from vae_cli.posterior.base import Posterior


class Directions(Posterior):
    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim, self.parameter_count = latent_dim, 2 * latent_dim

    def forward(self, features):
        loc, concentration = features.chunk(2, -1)
        return Independent(VonMises(loc, concentration.exp()), 1)


def walks():
    return Dataset(*[StoredImages(torch.rand(90, 5, 3)) for _ in range(3)], levels=None)
'''
POSTERIOR = "_target_: own.Directions\n_partial_: true\n"
DATA = "defaults: [digits, _self_]\n_target_: own.walks\n"


@pytest.fixture(autouse=True)
def own_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    for group, name, text in (("posterior", "directions", POSTERIOR), ("data", "walks", DATA)):
        folder = tmp_path / "conf" / "vae_cli" / group
        folder.mkdir(parents=True)
        (folder / f"{name}.yaml").write_text(text)


@pytest.mark.filterwarnings("ignore:read:UserWarning")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("posterior=directions", "objective=elbo: needs gradients through draws of z, which "
         "posterior=own.Directions does not give. Try posterior=diagonal."),
        ("posterior=directions model=m2 data.labels=100",
         "objective=semi_supervised: needs gradients"),
        ("data=walks", "network=mlp: takes images and vectors, and data=own.walks are sequences of "
         "5 x 3. Use a network that takes sequences."),
        ("data=walks encoder=conv", "encoder=conv: takes images, and data=own.walks are sequences"),
    ],
)  # fmt: skip
def test_it_is_refused(words: str, told: str) -> None:
    cfg, _ = compose("train", [*words.split(), "likelihood=bernoulli"])
    with pytest.raises(ConfigError) as caught:
        build(cfg)
    assert str(caught.value).startswith(told)
