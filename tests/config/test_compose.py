"""What a command line composes to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from vae_cli.config.compose import compose
from vae_cli.errors import ConfigError, Notice, VaeCliError
from vae_cli.help.show import help_of

STABLE = [
    (
        ["data=mnist", "model=flow", "kl_schedule=linear"],
        [
            "seed",
            "latent_dim",
            "resume",
            "deterministic",
            "data.batch_size",
            "data.binarize",
            "network.hidden_dims",
            "optimizer.lr",
            "trainer.max_epochs",
            "trainer.max_steps",
            "accelerator.devices",
            "accelerator.precision",
            "data.root",
            "posterior.flow_length",
            "kl_schedule.warmup_steps",
        ],
    ),
    (["data=array"], ["data.path"]),
]
PLANAR, RADIAL = (
    "vae_cli.posterior.planar.PlanarPosterior",
    "vae_cli.posterior.radial.RadialPosterior",
)
EXACT = "vae_cli.posterior.exact.ExactPosterior"
GAUSSIAN = "vae_cli.likelihood.gaussian.GaussianLikelihood"
VALUES: list[tuple[list[str], dict[str, Any]]] = [
    ([], {"posterior._target_": "vae_cli.posterior.diagonal.DiagonalPosterior"}),
    (["model=flow"], {"posterior._target_": PLANAR, "model.posterior._target_": PLANAR}),
    (["posterior=flow"], {"posterior._target_": PLANAR}),
    (["model=ppca"], {"model.posterior._target_": EXACT, "model.likelihood._target_": GAUSSIAN}),
    (["model=ppca", "posterior=radial"], {"model.posterior._target_": RADIAL}),
    (["model=ppca", "likelihood.scale=0.1"], {"model.likelihood.scale": 0.1}),
    (["model=factor_analysis"], {"model.noise": "per_pixel", "model.posterior._target_": EXACT}),
    (["model=flow", "posterior=radial"], {"model.posterior._target_": RADIAL}),
    (["posterior=radial", "model=flow"], {"model.posterior._target_": RADIAL}),
    (["model=flow", "posterior.flow_length=9"], {"model.posterior.flow_length": 9}),
    (
        ["experiment=digits_flow"],
        {"posterior.flow_length": 8, "kl_schedule.warmup_epochs": 20, "latent_dim": 2},
    ),
    (["experiment=digits_flow", "posterior.flow_length=3"], {"posterior.flow_length": 3}),
    (
        ["experiment=digits_flow", "posterior=radial"],
        {"posterior._target_": RADIAL, "posterior.flow_length": 8},
    ),
    (
        ["experiment=rezende2015_planar"],
        {"posterior._target_": PLANAR, "posterior.flow_length": 10, "data.batch_size": 100,
         "optimizer.lr": 1e-5, "optimizer._target_": "torch.optim.RMSprop", "latent_dim": 40,
         "kl_schedule.start": 0.01, "kl_schedule.warmup_steps": 10000, "trainer.max_steps": 500000,
         "objective.tempering": "joint", "objective.closed_form_kl": False},
    ),
    (["experiment=rezende2015_radial"], {"posterior._target_": RADIAL}),
    (
        ["experiment=rezende2015_planar", "objective.tempering=kl", "posterior.flow_length=20"],
        {"posterior._target_": PLANAR, "posterior.flow_length": 20, "objective.tempering": "kl",
         "kl_schedule.start": 0.01, "kl_schedule.warmup_steps": 10000},
    ),
    (
        ["experiment=vandenberg2018_planar"],
        {"posterior._target_": PLANAR, "posterior.flow_length": 16, "data.batch_size": 100,
         "latent_dim": 64, "kl_schedule.warmup_epochs": 100, "trainer.max_epochs": 2000,
         "network.channels": [32, 32, 64, 64, 64], "network.strides": [1, 2, 1, 2, 1],
         "network.hidden_dim": 256, "trainer.patience": 100, "optimizer.lr": 5e-4,
         "optimizer._target_": "torch.optim.Adamax"},
    ),
    (
        ["experiment=burda2015_vae"],
        {"latent_dim": 50, "data.batch_size": 20, "network.hidden_dims": [200, 200],
         "trainer.max_epochs": sum(3**i for i in range(8)), "optimizer.betas": [0.9, 0.999],
         "optimizer.lr": 1e-3},
    ),
    (
        ["experiment=kingma2014_mnist", "latent_dim=200"],
        {"model.latent_dim": 200, "network.hidden_dims": [500], "network.activation": "tanh",
         "optimizer._target_": "torch.optim.Adagrad"},
    ),
    (
        ["experiment=kingma2014_frey_faces"],
        {"latent_dim": 2, "network.hidden_dims": [200], "likelihood.mean": "sigmoid",
         "likelihood.scale": "learned"},
    ),
    (
        ["kl_schedule=rezende"],
        {"kl_schedule.start": 0.01, "kl_schedule.warmup_steps": 10000,
         "kl_schedule.warmup_epochs": None},
    ),
    (["data=mnist"], {"latent_dim": 40, "trainer.max_epochs": 20, "data.batch_size": 128}),
    ([], {"latent_dim": 2, "trainer.max_epochs": 150, "data.batch_size": 64}),
    (["data=mnist", "latent_dim=3"], {"latent_dim": 3, "model.latent_dim": 3}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAE_CLI_CONF", raising=False)


@pytest.mark.parametrize(("overrides", "keys"), STABLE)
def test_stable_keys(overrides: Sequence[str], keys: Sequence[str]) -> None:
    cfg, _ = compose("train", overrides)
    for key in keys:
        *parents, name = key.split(".")
        assert name in OmegaConf.select(cfg, ".".join(parents)) if parents else name in cfg


@pytest.mark.parametrize(("overrides", "values"), VALUES)
def test_values(overrides: Sequence[str], values: dict[str, Any]) -> None:
    cfg, _ = compose("train", overrides)
    assert {key: OmegaConf.select(cfg, key) for key in values} == values


def test_folder_says_what_runs_in_it() -> None:
    _, folder = compose("train", ["data=mnist", "model=flow"])
    assert folder.startswith("outputs/mnist_flow/")


def own(folder: Path, length: int = 7) -> Path:
    """A folder with a user's ``posterior=mine``."""
    (folder / "posterior").mkdir(parents=True)
    text = f"_target_: {PLANAR}\n_partial_: true\nflow_length: {length}\n"
    (folder / "posterior" / "mine.yaml").write_text(text)
    return folder


def test_own_configurations_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def length(config_dir: str | None = None) -> int:
        return compose("train", ["posterior=mine"], config_dir)[0].posterior.flow_length

    with pytest.raises(ConfigError, match=r"^posterior=mine: there is no such option\. "):
        length()
    own(tmp_path / "conf", 1)
    with pytest.warns(Notice, match=r"^read conf/posterior/mine\.yaml$"):
        assert length() == 1
    assert "mine" in help_of("train")
    own(tmp_path / "conf" / "vae_cli", 4)
    with pytest.warns(Notice, match=r"^read conf/vae_cli/posterior/mine\.yaml$"):
        assert length() == 4
    monkeypatch.setenv("VAE_CLI_CONF", str(own(tmp_path / "elsewhere", 2)))
    with pytest.warns(Notice, match=r"^read elsewhere/posterior/mine\.yaml$"):
        assert length() == 2
    assert length(str(own(tmp_path / "named", 3))) == 3


def test_own_folder_may_have_blanks(tmp_path: Path) -> None:
    folder = own(tmp_path / "my own folder")
    assert compose("train", ["posterior=mine"], str(folder))[0].posterior.flow_length == 7


def test_clash_with_a_built_in_name_is_reported(tmp_path: Path) -> None:
    for folder, config_dir in (("named", "named"), ("conf/vae_cli", None)):
        mine = tmp_path / folder / "model" / "vae.yaml"
        mine.parent.mkdir(parents=True)
        mine.write_text("_target_: mine\n")
        with pytest.raises(ConfigError, match="model=vae") as caught:
            compose("train", [], config_dir)
        assert str(mine) in str(caught.value)


FOREIGN = {  # as other programs have them
    "a primary file": ["config.yaml", "model/vae.yaml", "posterior/theirs.yaml"],
    "groups of other names": ["callbacks/default.yaml", "data/mnist.yaml", "posterior/theirs.yaml"],
    "one of ours by name": ["train.yaml", "trainer/default.yaml", "posterior/theirs.yaml"],
}


@pytest.mark.parametrize("files", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.filterwarnings("error")  # nothing is read
def test_the_folder_of_another_program_changes_nothing(files: list[str]) -> None:
    before = compose("train", ["data=mnist"])[0]
    for file in map(Path("conf").joinpath, files):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("_target_: theirs\ndefaults: [nothing: here]\n" + "a: &a [1]\nb: [*a]\n")
    assert compose("train", ["data=mnist"])[0] == before
    assert "theirs" not in help_of("train")
    with pytest.raises(ConfigError, match=r"theirs\.yaml is not read.* Move it into conf/vae_cli/"):
        compose("train", ["posterior=theirs"])


def test_a_built_in_option_goes_before_one_of_a_folder_that_nobody_names(tmp_path: Path) -> None:
    before = compose("train", [])[0]
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "vae.yaml").write_text("_target_: theirs\n")
    with pytest.warns(Notice, match=r"^conf/model/vae\.yaml is not read: there is a built-in"):
        assert compose("train", [])[0] == before


def test_missing_config_dir_is_reported() -> None:
    with pytest.raises(VaeCliError, match=r"^--config-dir=nowhere: there is no such folder"):
        compose("train", [], "nowhere")
