"""The first stage of a model of two: what it describes images by, trained before."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from omegaconf import DictConfig, OmegaConf

from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.config.trust import check_resolvers, check_resumed, check_saved
from vae_cli.data.record import Record
from vae_cli.errors import ConfigError, VaeCliError, as_written, shell_word
from vae_cli.model.base import LatentVariableModel
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.run.checkpoint import load_model, open_saved
from vae_cli.run.folder import RunFolder
from vae_cli.run.known_data import read_record
from vae_cli.run.resume import resumed_config

SHARED = ("data", "likelihood", "seed", "accelerator", "deterministic", "logger")
SHARED_KEYS = ("trainer.progress", "trainer.fast_dev_run")
FOUND_OUT = ("features", "units")  # of the model's options
OF_BOTH = ("data", "resume", "run_id", "hydra.run.dir")  # not the first stage's alone
ALIKE = ("derived.shape", "data.binarize", "data.dequantize")  # what the stages must agree in


class FirstStage(NamedTuple):
    """Where the features of a run come from.

    Attributes:
        run: The folder of a trained run; None to train one in the run's own folder.
        overrides: For training one: ``model.first``, and the run's overrides of data, likelihood,
            seed and accelerator.
        flags: Likewise, of the command.
        is_own: Whether ``overrides`` are the user's: given today, or trusted today.
    """

    run: str | None
    overrides: list[str]
    flags: list[str]
    is_own: bool

    def folder(self, of_run: RunFolder) -> RunFolder:
        """Where the first stage is, or will be."""
        return RunFolder(self.run or of_run.path / "m1")


def first_stage(
    cfg: DictConfig, overrides: Sequence[str], config_dir: str | None, is_own: bool
) -> FirstStage:
    """The first stage of a run whose model has two.

    Args:
        cfg: As composed.
        overrides: That it was composed from.
        config_dir: A folder of the user's own yamls.
        is_own: Whether the configuration is the user's, not only a folder's.

    Raises:
        ConfigError: If something is said that is found out.
    """
    for name in FOUND_OUT:
        if cfg.model.get(name) is not None:
            raise ConfigError(f"model.{name}", cfg.model[name], "is found out", "Leave it out.")
    shared = [text for text in overrides if _is_shared(text.partition("=")[0])]
    named = any(text.startswith(("model=", "experiment=")) for text in cfg.model.first)
    first = [*([] if named else ["model=m1"]), *check_saved(cfg.model.first, config_dir, is_own)]
    shared += ["trust=true"] if cfg.trust else []
    flags = ["--config-dir", config_dir] if config_dir else []
    return FirstStage(cfg.model.m1, [*first, *shared], flags, is_own)


def check_said(cfg: DictConfig, overrides: Sequence[str]) -> None:
    """Checks that a new run says nothing of its first stage that would have no effect.

    Args:
        cfg: As composed.
        overrides: That it was composed from.

    Raises:
        ConfigError: If it does.
    """
    named_first = any(text.partition("=")[0] == "model.first" for text in overrides)
    if cfg.model.m1 is not None and named_first:
        rule = "model.m1 has been trained already"
        raise ConfigError("model.first", [*cfg.model.first], rule, "Leave one of them out.")
    for text in cfg.model.first:
        if text.partition("=")[0] in OF_BOTH:
            rule = "is said of both stages together"
            raise ConfigError("model.first", text, rule, "Put it beside model.first.")


def _is_shared(key: str) -> bool:
    return key.partition(".")[0] in SHARED or key in SHARED_KEYS


def describe_features(cfg: DictConfig, stage: FirstStage, folder: RunFolder | None) -> None:
    """Writes the features' model into the configuration of the run, before it is built.

    Args:
        cfg: Of the run; changed in place.
        stage: Its first stage.
        folder: Of the run, where it is gone on with.

    Raises:
        VaeCliError: If there is no such stage, or it can't be.
    """
    if folder is not None and folder.config.is_file():
        saved = open_saved(folder, "resume", ("model", "likelihood"), cfg.trust)
        if saved.model.get("m1") != cfg.model.m1:
            rule = "the run has its features already"
            raise ConfigError("model.m1", cfg.model.m1, rule, "Leave it out.")
        cfg.model.features, cfg.likelihood = saved.model.get("features"), saved.likelihood
        cfg.model.units = saved.model.get("units")  # earlier versions took all
        return
    if stage.run is not None:
        first = _config_of(stage.run, cfg.trust)
        if "m1" in first.model:
            rule = "has two stages itself"
            raise ConfigError("model.m1", stage.run, rule, "Try a run of model=m1.")
        if "labelled_images" in (first.get("objective") or {}):
            rule = "is of a model of which the label is a part"
            raise ConfigError("model.m1", stage.run, rule, "Try a run of model=m1, vae or flow.")
        named = any(text.startswith("likelihood") for text in stage.overrides)
        if named and cfg.likelihood != first.likelihood:
            rule = "has another likelihood than the one asked for"
            raise ConfigError("model.m1", stage.run, rule, "Leave likelihood out.")
    else:
        first = _composed(stage)
    cfg.model.features, cfg.likelihood = first.model, first.likelihood


def _composed(stage: FirstStage) -> DictConfig:
    """The configuration of a stage that is to be trained, found to be sound."""
    try:
        first, _ = compose("train", stage.overrides, stage.flags[-1] if stage.flags else None)
        if not stage.is_own:
            check_resolvers(first)
            check_resumed(first)
    except VaeCliError as error:  # what both stages share has been checked: it is model.first's
        raise VaeCliError(f"model.first: {error}") from error
    chosen = next((text for text in stage.overrides if text.startswith("model=")), "")
    rule = "its model is to be one with a prior and without labels"
    mistake = ConfigError("model.first", chosen, rule, "Try model=m1.")
    if "m1" in first.model:
        raise mistake
    try:
        model = build(first).model  # what is wrong with it is told before anything is written
    except ConfigError as error:
        if _is_shared(error.key):
            raise
        raise VaeCliError(f"model.first: {error}") from error
    if not isinstance(model, LatentVariableModel) or isinstance(model, SemiSupervisedModel):
        raise mistake
    return first


def _config_of(path: str, trust: bool) -> DictConfig:
    """The configuration of a trained run, from the checkpoint that its features come from."""
    folder = RunFolder.existing(path, key="model.m1")
    if not folder.best.is_file():
        rule = "it has not been trained"
        raise ConfigError("model.m1", path, rule, f"Try vae-train resume={shell_word(path)}.")
    try:
        _, config = load_model(folder.best, trust)
    except ConfigError as error:
        raise ConfigError("model.m1", path, error.rule, error.remedy) from error
    return config


def check_features(cfg: DictConfig, stage: FirstStage, record: Record) -> None:
    """Checks that features that there are already are of such images as the run's.

    Args:
        cfg: Of the run, every value concrete.
        stage: Its first stage.
        record: The data of the run.

    Raises:
        ConfigError: If they are not.
    """
    if stage.run is None:
        return
    first = _config_of(stage.run, cfg.trust)
    for key in ALIKE:
        ours, theirs = (OmegaConf.select(config, key) for config in (cfg, first))
        if ours != theirs:
            rule = f"has {key}={as_written(theirs)}, and this run {as_written(ours)}"
            raise ConfigError("model.m1", stage.run, rule, "Try one of the same images.")
    known = read_record(RunFolder(stage.run), "model.m1")
    for part in ("validation", "test"):
        if known is not None and (count := np.isin(record.digests[part], known.trained).sum()):
            rule = f"was trained on {count} of the {len(record.digests[part])} {part} images"
            remedy = "Try one of the same images in the same parts."
            raise ConfigError("model.m1", stage.run, rule, remedy)


def check_begun(stage: FirstStage, folder: RunFolder) -> None:
    """Checks a first stage that was stopped in the run's folder, before that folder is changed.

    Args:
        stage: The first stage.
        folder: Of the run.

    Raises:
        VaeCliError: If it cannot be resumed, as it is made of more than the package's parts.
    """
    first = stage.folder(folder)
    if stage.run is None and first.overrides.is_file():
        config_dir = stage.flags[-1] if stage.flags else None
        resumed_config(RunFolder.existing(str(first.path)), "train", stage.overrides, config_dir)
