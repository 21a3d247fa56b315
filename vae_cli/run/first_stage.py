"""The first of two stages: a model is trained, then another one is built on its features."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from omegaconf import DictConfig, OmegaConf

from vae_cli.config.build import build
from vae_cli.config.composition import pretrained_part
from vae_cli.config.request import Request, is_within
from vae_cli.config.trust import check_resolvers, check_resumed, check_saved
from vae_cli.data.record import Record
from vae_cli.errors import ConfigError, VaeCliError, as_written, shell_word
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.labelled import SemiSupervisedModel
from vae_cli.run.checkpoint import open_saved
from vae_cli.run.folder import RunFolder
from vae_cli.run.pretrained import PretrainedRun, open_pretrained
from vae_cli.run.resume import resumed_config

SHARED = (  # by both stages
    "data", "likelihood", "seed", "accelerator", "deterministic", "logger", "trainer.progress",
    "trainer.fast_dev_run",
)  # fmt: skip
OF_BOTH = ("data", "resume", "run_id", "hydra.run.dir")  # not for the first stage alone
ALIKE = ("derived.shape", "data.binarize", "data.dequantize")  # must agree between the stages
RULE = "its model needs a prior and no labels"
NAME = "m1"  # of the first stage's folder


@dataclass(frozen=True)
class FirstStage:
    """The training that gives a model its pretrained part.

    Attributes:
        part: Name of that part among the model's options.
        run: The folder of a trained run; None to train one in the run's own folder.
        run_key: Which the user gives ``run`` to.
        overrides_key: Which the user gives the overrides of the first stage to.
        request: For training one.
        trust: Whether today's command line trusts what folders hold.
        is_own: Whether the request is the user's: given today, or trusted today.
    """

    part: str
    run: str | None
    run_key: str
    overrides_key: str
    request: Request
    trust: bool
    is_own: bool

    @classmethod
    def of(cls, part: str, cfg: DictConfig, request: Request, is_own: bool) -> "FirstStage":
        """The first stage of a run.

        Args:
            part: Name of the model's part whose target is ``Pretrained``.
            cfg: Of the run, as composed.
            request: That it was composed from.
            is_own: Whether the configuration is the user's, not only a folder's.

        Raises:
            ConfigError: If it sets something that is found out.
        """
        if cfg.model.get("units") is not None:
            rule = "is computed from the first stage"
            raise ConfigError("model.units", cfg.model.units, rule, "Leave it out.")
        node = cfg.model[part]
        given = Request.of("train", check_saved(node.overrides, request.config_dir, is_own))
        default = [] if given.names("model") or given.names("experiment") else ["model=m1"]
        both = request.within(*SHARED)
        own = given.without(*(override.key_or_group for override in both.overrides))
        texts = [*default, *own.texts, *both.texts, *(["trust=true"] if cfg.trust else [])]
        return cls(
            part, node.run, _key(cfg, part, "run"), _key(cfg, part, "overrides"),
            Request.of("train", texts, request.config_dir), cfg.trust, is_own,
        )  # fmt: skip

    @cached_property
    def pretrained(self) -> PretrainedRun:
        """The run that ``run`` names, opened.

        Raises:
            ConfigError: If there is no such run, or it cannot be opened.
        """
        folder = RunFolder.existing(str(self.run), self.run_key)
        if not folder.best.is_file():
            rule = "it has not been trained"
            remedy = f"Try vae-train resume={shell_word(folder.path)}."
            raise ConfigError(self.run_key, self.run, rule, remedy)
        return open_pretrained(folder, folder.best, self.run_key, self.trust)

    def folder(self, run: RunFolder) -> RunFolder:
        """Where the first stage of a run is, or will be."""
        return RunFolder(self.run or run.path / NAME)

    def check_overrides(self, cfg: DictConfig, request: Request) -> None:
        """Checks that a new run gives its first stage nothing that would have no effect."""
        given = list(cfg.model[self.part].overrides)
        if self.run is not None and request.names(self.overrides_key):
            rule = f"{self.run_key} has been trained already"
            raise ConfigError(self.overrides_key, given, rule, "Leave one of them out.")
        for override in Request.of("train", given).overrides:
            if override.key_or_group in OF_BOTH:
                rule = "applies to both stages"
                remedy = f"Put it beside {self.overrides_key}."
                raise ConfigError(self.overrides_key, override.input_line, rule, remedy)

    def describe(self, cfg: DictConfig, folder: RunFolder | None) -> None:
        """Writes the pretrained model into the configuration of the run, before it is built.

        Args:
            cfg: Of the run; changed in place.
            folder: Of the run, if it is resumed.

        Raises:
            VaeCliError: If there is no such first stage, or it is not fit to be one.
        """
        if folder is not None and folder.config.is_file():
            saved = open_saved(folder, "resume", ("model", "likelihood"), cfg.trust)
            if OmegaConf.select(saved, self.run_key) != self.run:
                rule = "the run has its features already"
                raise ConfigError(self.run_key, self.run, rule, "Leave it out.")
            cfg.model[self.part], cfg.likelihood = saved.model.get(self.part), saved.likelihood
            cfg.model.units = saved.model.get("units")  # earlier versions took all
            return
        first = self._composed() if self.run is None else self.pretrained.config
        if self.run is not None:
            if not _is_fit(self.pretrained.model):
                raise ConfigError(
                    self.run_key, self.run, RULE, "Try a run of model=m1, vae or flow."
                )
            if self.request.within("likelihood").overrides and cfg.likelihood != first.likelihood:
                rule = "has another likelihood than the one asked for"
                raise ConfigError(self.run_key, self.run, rule, "Leave likelihood out.")
        cfg.model[self.part], cfg.likelihood = first.model, first.likelihood

    def _composed(self) -> DictConfig:
        """The configuration of a stage that is to be trained, checked by building it."""
        try:
            first, _ = self.request.compose()
            if not self.is_own:
                check_resolvers(first)
                check_resumed(first)
        except VaeCliError as error:  # what both stages share has been checked before
            raise VaeCliError(f"{self.overrides_key}: {error}") from error
        chosen = self.request.within("model").texts
        mistake = ConfigError(self.overrides_key, "".join(chosen[:1]), RULE, "Try model=m1.")
        if pretrained_part(first) is not None:
            raise mistake
        try:
            model = build(first, requested=self.request.listed("metric")).model
        except ConfigError as error:
            if is_within(error.key, SHARED):
                raise
            raise VaeCliError(f"{self.overrides_key}: {error}") from error
        if not _is_fit(model):
            raise mistake
        return first

    def check_data(self, cfg: DictConfig, record: Record) -> None:
        """Checks that the features of a trained run are of images like the run's."""
        if self.run is None:
            return
        for key in ALIKE:
            ours, theirs = (OmegaConf.select(c, key) for c in (cfg, self.pretrained.config))
            if ours != theirs:
                rule = f"has {key}={as_written(theirs)}, and this run {as_written(ours)}"
                raise ConfigError(self.run_key, self.run, rule, "Try one of the same images.")
        known = self.pretrained.record
        for part in ("validation", "test"):
            if known and (count := np.isin(record.digests[part], known.trained).sum()):
                rule = f"was trained on {count} of the {len(record.digests[part])} {part} images"
                remedy = "Try one of the same images in the same parts."
                raise ConfigError(self.run_key, self.run, rule, remedy)

    def check_resumable(self, folder: RunFolder) -> None:
        """Checks a first stage that was stopped in a run's folder, before the folder is changed.

        Raises:
            VaeCliError: If it cannot be resumed, as it has parts of other packages.
        """
        first = self.folder(folder)
        if self.run is None and first.overrides.is_file():
            resumed_config(RunFolder.existing(str(first.path)), self.request)


def _is_fit(model: Model) -> bool:
    """Whether another model can model a model's latent variables."""
    return isinstance(model, LatentVariableModel) and not isinstance(model, SemiSupervisedModel)


def _key(cfg: DictConfig, part: str, option: str) -> str:
    """The key by which a user sets an option of a part: the one that it refers to, if any."""
    written = cfg.model[part]._get_node(option)._value()
    reference = re.fullmatch(r"\$\{([\w.]+)\}", str(written))
    return reference[1] if reference else f"model.{part}.{option}"
