"""Whether what was chosen goes together, and with what was found out from the data."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Size

from vae_cli import noise
from vae_cli.config.check import is_required
from vae_cli.config.construct import construct, option_of
from vae_cli.config.folders import NETWORK, SIDES
from vae_cli.data.batch import Batch
from vae_cli.data.dataset import Dataset
from vae_cli.data.labels import missing_labels
from vae_cli.errors import ConfigError
from vae_cli.example import ExampleKind, describe_examples, example_kind
from vae_cli.metric.reported import Reported
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.model.scope import ForModels
from vae_cli.network.mlp import MLP
from vae_cli.objective.base import Objective
from vae_cli.training.options import AcceleratorOptions, TrainerOptions

P = TypeVar("P", bound=ForModels[Any])

FOUND = {  # options that the data decide, and what they say
    "model.shape": "the shape of the data is",
    "model.classes": "the number of classes is",
    "objective.train_images": "the number of training images is",
    "objective.labelled_images": "the number of those with a label is",
}


def check_found(cfg: DictConfig) -> None:
    """Checks that what is found out from the data has not been set to something else."""
    for key, what in FOUND.items():
        group, name = key.split(".")
        value, found = cfg[group].get(name, cfg.derived[name]), cfg.derived[name]
        if value != found:
            rule = f"{what} {list(found) if name == 'shape' else found}"
            raise ConfigError(key, value, rule, "Leave it out.")


def check_labels(cfg: DictConfig, dataset: Dataset) -> None:
    """Checks that what learns from labels finds some."""
    learns = "classes" in cfg.model or "labelled_images" in cfg.objective
    if learns and (rule := missing_labels(dataset)):
        rule += ", and the model learns from labels"
        remedy = "Label some images of each class, or try model=vae."
        raise ConfigError("data", option_of(cfg.data), rule, remedy)


def check_networks(cfg: DictConfig) -> None:
    """Checks that the networks take examples of the data's kind, or features of the stage below."""
    shape = Size(cfg.derived.shape)
    what = f"data={option_of(cfg.data)} are {describe_examples(shape)}"
    _check_networks(cfg, "model", example_kind(shape), what)


def _check_networks(cfg: DictConfig, key: str, kind: ExampleKind, what: str) -> None:
    model = OmegaConf.select(cfg, key)
    if model.get("features"):
        _check_networks(cfg, f"{key}.features", kind, what)
        kind, what = "vector", "the features of the first stage are vectors"
    for side in (side for side in SIDES if model.get(side)):
        network = construct(cfg, f"{key}.{side}", partial=True).func
        takes: Collection[str] | None = getattr(network, "takes", None)
        if takes is not None and kind not in takes:
            rule = f"takes {' and '.join(f'{each}s' for each in sorted(takes))}, and {what}"
            group = side if side in cfg else NETWORK
            suited = f"{group}=mlp" if kind in MLP.takes else f"a network that takes {kind}s"
            raise ConfigError(group, option_of(model[side]), rule, f"Use {suited}.")


def check_room(cfg: DictConfig, objective: Objective, accelerator: AcceleratorOptions) -> None:
    """Checks that batches have room for both kinds, where they are to have both."""
    if objective.labelled_fraction is None:
        return
    size, processes = cfg.data.batch_size, accelerator.processes
    if size == processes and cfg.derived.labelled_images < cfg.derived.train_images:
        rule = "needs at least 2 for each process: one image with a label and one without"
        raise ConfigError("data.batch_size", size, rule, f"Try data.batch_size={2 * processes}.")


def check_groups(cfg: DictConfig, model: Model, objective: Objective) -> None:
    """Checks that there are the groups that the model uses, and no others."""
    for side in SIDES:
        if side in cfg and side not in cfg.model.get("features", cfg.model):
            rule = f"is not used by {option_of(cfg.model)}"
            raise ConfigError(side, option_of(cfg[side]), rule, "Leave it out.")
    has_prior = isinstance(model, LatentVariableModel)
    for group in ("posterior", "prior"):
        if group in cfg and not has_prior:
            rule = f"is not used by {model.description}"
            raise ConfigError(group, option_of(cfg[group]), rule, "Leave it out.")
    if "kl_schedule" in cfg and not objective.weighs_kl:
        rule = "the objective has no KL to weigh"
        raise ConfigError("kl_schedule", option_of(cfg.kl_schedule), rule, "Leave it out.")
    if "kl_schedule" not in cfg and objective.weighs_kl:
        raise is_required("kl_schedule", "OPTION")


def applicable(
    group: str, parts: Mapping[str, P], model: Model, named: Collection[str]
) -> dict[str, P]:
    """The metrics or analyses that work with a model.

    Args:
        group: Of the configuration.
        parts: By name.
        model: What is measured.
        named: Those that the user asks for by name; the others are left out where they don't work.

    Raises:
        ConfigError: If one of those does not work with the model.
    """
    mismatches = {name: part.mismatch(model) for name, part in parts.items()}
    for name in named:
        if rule := mismatches.get(name):
            raise ConfigError(group, name, rule, "Leave it out.")
    return {name: part for name, part in parts.items() if mismatches[name] is None}


def check_model(cfg: DictConfig, model: Model, objective: Objective) -> None:
    """Checks that the objective is one for such models, and takes the labels that they need."""
    if isinstance(model, SemiSupervisedModel) and objective.labelled_fraction is None:
        rule = "ignores labels, which the model needs"
        remedy = "Try objective=semi_supervised."
        raise ConfigError("objective", option_of(cfg.objective), rule, remedy)
    if mismatch := objective.mismatch(model):
        rule = f"{mismatch}, which {option_of(cfg.model)} is not"
        usual = "elbo" if isinstance(model, LatentVariableModel) else "reconstruction"
        remedy = f"Try objective={usual}, or another model."
        raise ConfigError("objective", option_of(cfg.objective), rule, remedy)


def check_draws(cfg: DictConfig, model: Model, objective: Objective) -> None:
    """Checks that draws of z carry a gradient, where the objective needs that.

    Raises:
        ConfigError: If they don't: the encoder would not learn.
    """
    if not objective.reparameterizes:
        return
    x, number = torch.zeros(1, *cfg.derived.shape), torch.zeros(1, dtype=torch.int64)
    with torch.no_grad(), noise.stream(model.device, "draws"):
        q = model.eval().encode(Batch(x, x, number, number))
    model.train()
    if not q.has_rsample:
        drawn, other = f"model={option_of(cfg.model)}", "model=vae"
        if "posterior" in cfg:
            drawn, other = f"posterior={option_of(cfg.posterior)}", "posterior=diagonal"
        rule = f"needs gradients through draws of z, which {drawn} does not give"
        raise ConfigError("objective", option_of(cfg.objective), rule, f"Try {other}.")


def monitored(reported: Reported, trainer: TrainerOptions) -> str:
    """The quantity that the best checkpoint and early stopping follow.

    Raises:
        ConfigError: If the objective has no such quantity.
    """
    if trainer.monitor == "objective":
        return reported.monitor
    if reported.objective.monitor != "elbo":
        rule = f"the objective has no bound, but a {reported.objective.monitor}"
        raise ConfigError("trainer.monitor", "elbo", rule, "Try trainer.monitor=objective.")
    return "elbo"
