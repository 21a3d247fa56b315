"""The table of parts: all that ships is in it, and nothing else is."""

import importlib
import inspect
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from vae_cli.config.check import resolved
from vae_cli.config.compose import compose
from vae_cli.config.parts import check_parts, known_parts
from vae_cli.config.request import Request
from vae_cli.config.trust import check_saved, concrete, open_config
from vae_cli.data.dataset import Dataset
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.figure.base import Figure
from vae_cli.likelihood.auto import Choice
from vae_cli.likelihood.base import Likelihood
from vae_cli.metric.base import Metric
from vae_cli.model.base import Model
from vae_cli.model.pretrained import Pretrained
from vae_cli.network.base import Network
from vae_cli.objective.base import Objective
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.exact import ExactPosterior
from vae_cli.prior.base import Prior
from vae_cli.training.options import AcceleratorOptions, TrainerOptions

BASES: dict[str, Any] = {
    "accelerator": AcceleratorOptions, "data": Dataset, "figure": Figure,
    "likelihood": (Likelihood, Choice), "metric": Metric, "model": Model,
    "model/features": Pretrained, "encoder": Network, "decoder": Network, "network": Network,
    "objective": Objective, "optimizer": Optimizer,
    "optimizer/lr_schedule": LRScheduler, "posterior": (Posterior, ExactPosterior),
    "prior": Prior, "trainer": TrainerOptions,
}  # fmt: skip
LOGGERS = {"vae_cli.training.csv_logger.CurveTable", "pytorch_lightning.loggers.TensorBoardLogger"}


def found(target: str) -> Any:
    module, _, name = target.rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("group", sorted(known_parts().parts.keys() - {"logger", "kl_schedule"}))
def test_a_target_is_of_its_groups_base_class(group: str) -> None:
    for target in known_parts().parts[group]:
        part = found(target)
        made = part if inspect.isclass(part) else inspect.signature(part).return_annotation
        assert issubclass(made, BASES[group]), target


def test_schedules_and_loggers_are_those_that_are_known() -> None:
    schedules = [found(target) for target in known_parts().parts["kl_schedule"]]
    assert all({"settled_at", "__call__"} <= {*dir(schedule)} for schedule in schedules)
    assert known_parts().parts["logger"].keys() == LOGGERS


def test_every_group_of_a_run_is_in_the_table() -> None:
    assert known_parts().parts.keys() == {*BASES, "logger", "kl_schedule"}
    assert known_parts().names.keys() == {"metric", "figure"}


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("empty"))
        return resolved(compose("train", ["posterior=planar"])[0])


@pytest.fixture
def config(composed: dict[str, Any]) -> dict[str, Any]:
    return deepcopy(composed)


PLANAR = {"_target_": "vae_cli.posterior.planar.PlanarPosterior", "_partial_": True}
DIGITS = {"_target_": "vae_cli.data.digits.load"}
HOSTILE: list[tuple[str, Any]] = [
    ("posterior._target_", "os.system"),
    ("posterior._target_", "vae_cli.data.files.download"),
    ("posterior._target_", "vae_cli.data.files.Path"),
    ("posterior._target_", "torch.nn.attention.activate_flash_attention_impl"),
    ("posterior._target_", "vae_cli.network.mlp.MLP"),  # of another group
    ("posterior._target_", "vae_cli.posterior.planar.PlanarPosterior "),
    ("posterior._target_", ["vae_cli.posterior.planar.PlanarPosterior"]),
    ("posterior._target_", None),
    ("posterior._partial_", False),
    ("posterior._args_", [1]),
    ("posterior._recursive_", False),
    ("posterior._convert_", "all"),
    ("posterior.flow_length", PLANAR),
    ("posterior.flow_length", [PLANAR]),
    ("posterior.flow_length", [[1]]),
    ("posterior.flow_length", "${oc.env:HOME}"),
    ("posterior.flow_length", ["${oc.env:HOME}"]),
    ("posterior.more", 1),
    ("model.encoder", DIGITS),
    ("model.latent_dim", {"a": 1}),
    ("optimizer._target_", "torch.optim.SGD"),
    ("optimizer.lr_schedule", PLANAR),
    ("data.suggests", DIGITS | {"more": [DIGITS]}),
    ("data.suggests.latent_dim", DIGITS),
    ("metric.active_units", PLANAR),
    ("metric.more", {"_target_": "vae_cli.metric.active_units.ActiveUnits"}),
    ("figure.../../outside", {"_target_": "vae_cli.figure.samples.Samples"}),
    ("figure", [1]),
    ("logger._target_", "pytorch_lightning.loggers.WandbLogger"),
    ("unknown", PLANAR),
    ("seed", {"_target_": {"_target_": "os.system"}}),
]


def spoil(config: dict[str, Any], key: str, value: Any) -> None:
    group, _, name = key.partition(".")
    if not name:
        config[group] = value
    elif isinstance(config[group].get(name.partition(".")[0]), dict):
        spoil(config[group], name, value)
    else:
        config[group][name] = value


@pytest.mark.parametrize(("key", "value"), HOSTILE)
def test_what_does_not_ship_is_refused(key: str, value: Any, config: dict[str, Any]) -> None:
    check_parts(config)
    spoil(config, key, value)
    with pytest.raises(ConfigError):
        check_parts(config)


SAVED = [
    "network._target_=${oc.env:HOME}", "network._target_=$\\{oc.env:HOME}",
    "network.activation='${oc.env:HOME}'", "network={a: ['${oc.env:HOME}']}",
    "network.hidden_dims=[1,'${x}']", "network@elsewhere=mlp", "+network@a.b=conv",
    "network=../../somewhere/mine", "+experiment=/etc/mine", "network=mlp,conv",
    "seed=range(1,4)", "+own/group=mine", "network=nope", "figure=[samples,../mine]",
]  # fmt: skip


@pytest.mark.parametrize("text", SAVED)
def test_a_saved_override_is_plain(text: str) -> None:
    with pytest.raises(VaeCliError):
        check_saved([text], None, trust=False)


def test_a_folder_can_say_neither_trust_nor_anything_of_hydras() -> None:
    silent = [
        "trust=true", "++trust=true", "+trust=true", "~trust", "resume=elsewhere",
        "hydra.run.dir=elsewhere", "hydra.searchpath=[file:///tmp]", "hydra/launcher=joblib",
        "+hydra.callbacks.x._target_=os.mkdir", "++hydra.output_subdir=x",
    ]  # fmt: skip
    assert check_saved([*silent, "seed=1"], None, trust=False) == ["seed=1"]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["trust=true"], True), (["++trust=True"], True), (["trust=true", "trust=false"], False),
        (["trust='true'"], False), (["seed=1"], False), (["~trust"], False),
    ],
)  # fmt: skip
def test_only_todays_command_line_trusts(overrides: list[str], expected: bool) -> None:
    assert Request.of("train", overrides).is_trusted is expected


def test_references_are_saved_as_their_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [
        "latent_dim=${data.suggests.latent_dim}", "seed=3", "network.hidden_dims=['${seed}',7]",
        "network.activation=${oc.env:CHOSEN}",
    ]  # fmt: skip
    monkeypatch.setenv("CHOSEN", "tanh")
    cfg, _ = compose("train", given)
    saved = concrete(given, cfg)
    assert check_saved(saved, None, trust=False) == saved
    again, _ = compose("train", saved)
    assert again.latent_dim == 2 and again.network.hidden_dims == [3, 7]
    assert again.network.activation == "tanh"


@pytest.mark.parametrize(
    "text",
    ["", "- a", "a: &a [1]\nb: *a", "a: ${b}", "model: ???", "model: {_target_: os.system}",
     "model: 3", "a: !!python/name:os.system ''", "\t"],
)  # fmt: skip
def test_a_text_that_is_no_configuration(text: str) -> None:
    with pytest.raises(VaeCliError):
        open_config(text, "config.yaml", ("model",), trust=False)
