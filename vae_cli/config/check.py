"""Checks a composed configuration against what its targets accept, before anything is built."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from omegaconf import DictConfig, OmegaConf, open_dict

from vae_cli.config.signature import Signature, signature_of
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.options import (
    AtLeast,
    AtMost,
    Fraction,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    accepts,
    describe,
    remedy,
)

PLACEHOLDERS = {"shape": [1, 1, 1], "levels": 2, "steps_per_epoch": 1, "total_steps": 1}
MILESTONES = "milestones"
SPECIAL = ("_target_", "_partial_", "_recursive_", "_convert_")


@dataclass(frozen=True)
class TrainSettings:
    """The keys at the top of ``train.yaml``."""

    seed: NonNegativeInt
    latent_dim: PositiveInt
    resume: str | None
    run_id: str | None
    deterministic: bool
    trust: bool


@dataclass(frozen=True)
class EvalSettings:
    """The keys at the top of ``eval.yaml``."""

    run: str | None
    split: Literal["test", "validation", "train"]
    samples: Annotated[int, AtLeast(1), AtMost(1_000_000_000)]
    seed: NonNegativeInt
    checkpoint: Literal["best", "last"]
    device: Literal["auto", "cpu", "gpu"]
    data: Mapping[str, str | None]
    mixed: bool
    trust: bool


@dataclass(frozen=True)
class SampleSettings:
    """The keys at the top of ``sample.yaml``."""

    run: str | None
    what: str | None
    format: Literal["png", "svg", "pdf", "npz", "gif"]
    output: str | None
    count: PositiveInt | None
    split: Literal["test", "validation", "train"]
    seed: NonNegativeInt
    checkpoint: Literal["best", "last"]
    device: Literal["auto", "cpu", "gpu"]
    data: Mapping[str, str | None]
    trust: bool


@dataclass(frozen=True)
class FlowSettings:
    """The keys at the top of ``flow.yaml``."""

    lengths: Sequence[PositiveInt]
    steps: PositiveInt
    restarts: PositiveInt
    samples: PositiveInt
    warmup: Fraction
    lr: PositiveFloat
    seed: NonNegativeInt
    format: Literal["png", "svg", "pdf"]


@dataclass(frozen=True)
class ReportSettings:
    """The keys at the top of ``report.yaml``."""

    run: str | None
    output: str | None
    mixed: bool


SETTINGS: dict[str, type] = {
    "train": TrainSettings,
    "eval": EvalSettings,
    "sample": SampleSettings,
    "flow": FlowSettings,
    "report": ReportSettings,
}


@dataclass(frozen=True)
class DataSettings:
    """What every dataset has beside its loader's own options."""

    batch_size: PositiveInt
    binarize: Literal["auto", "dynamic", "static", "threshold", "none"]
    dequantize: bool
    suggests: Mapping[str, int]


@dataclass(frozen=True)
class OptimizerSettings:
    """What every optimizer has, whatever its own constructor checks."""

    lr: PositiveFloat
    lr_schedule: Mapping[str, Any]


SHARED: dict[str, type] = {"data": DataSettings, "optimizer": OptimizerSettings}


def check(cfg: DictConfig, groups: Iterable[str], settings: type = TrainSettings) -> None:
    """Raises ConfigError for the first value that breaks a rule.

    Args:
        cfg: As composed, without Hydra's own part; nothing of it is changed.
        groups: Names of the configuration groups.
        settings: The keys at the top.
    """
    cfg = cfg.copy()
    for name in cfg.get("derived", {}):
        if not OmegaConf.is_missing(cfg.derived, name):
            rule = "is found out from the data, not for setting"
            raise ConfigError(f"derived.{name}", cfg.derived[name], rule, "Leave it out.")
    with open_dict(cfg):
        cfg.derived = PLACEHOLDERS
    plain = cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True))
    own = settings.__annotations__
    check_keys("", plain, [*own, *groups, "derived"])
    for key, annotation in own.items():
        if key not in plain:
            raise VaeCliError(f"~{key}: {key} can't be left out.")
        check_value(key, plain[key], annotation)
    for group in plain:
        if group not in own and group != "derived":
            _check_group(group, plain[group])


def _check_group(group: str, node: Any) -> None:
    """A group is one thing to instantiate, or several by name."""
    if not isinstance(node, dict):
        rule = "is a group, to choose an option of"
        raise ConfigError(group, node, rule, f"Leave it out, or try {group}=OPTION.")
    for name, child in node.items() if "_target_" not in node else ():
        if not (isinstance(child, dict) and "_target_" in child):
            raise ConfigError(f"{group}.{name}", child, "there is no such key")
    _check_node(group, node, SHARED.get(group))


def _check_node(key: str, node: Any, shared: type | None = None) -> None:
    if not isinstance(node, dict):
        return
    if "_target_" in node:
        _check_target(key, node, shared)
    for name, child in node.items():
        _check_node(f"{key}.{name}", child)


def _check_target(key: str, node: dict[str, Any], shared: type | None) -> None:
    target = node["_target_"]
    signature = signature_of(target) if isinstance(target, str) else None
    if signature is None:
        rule = "there is no such class or function"
        raise ConfigError(
            f"{key}._target_", target, rule, "Is its module installed, or on PYTHONPATH?"
        )
    annotations = dict(signature.annotations) | (shared.__annotations__ if shared else {})
    allowed = [*annotations, *_in_epochs(signature), *SPECIAL]
    if not signature.takes_any:
        check_keys(key, node, allowed)
    for name, annotation in annotations.items():
        value, epochs = node.get(name), in_epochs(name)
        if value is None and epochs in node:
            if node[epochs] is None:
                rule = "needs a number of steps, or of epochs"
                example = "[10]" if name == MILESTONES else "10"
                raise ConfigError(f"{key}.{name}", None, rule, f"Try {key}.{epochs}={example}.")
        elif name in node:
            check_value(f"{key}.{name}", value, annotation)
    for name in _in_epochs(signature):
        if node.get(name) is not None:
            several = name == in_epochs(MILESTONES)
            annotation = Sequence[PositiveFloat] if several else PositiveFloat
            check_value(f"{key}.{name}", node[name], annotation)


def in_epochs(name: str) -> str:
    """``warmup_epochs`` for ``warmup_steps``: the same duration in the other unit.

    And ``milestones_epochs`` for ``milestones``, torch's word for steps.
    """
    if name.endswith("_steps") or name == MILESTONES:
        return f"{name.removesuffix('_steps')}_epochs"
    return ""


def _in_epochs(signature: Signature) -> list[str]:
    return [in_epochs(name) for name in signature.annotations if in_epochs(name)]


def check_keys(key: str, node: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Raises ConfigError for the first key of a node that is not allowed."""
    for name in node:
        if name not in allowed:
            dotted = f"{key}.{name}".lstrip(".")
            raise ConfigError(
                dotted, node[name], "there is no such key", suggest(name, allowed, key)
            )


def check_value(key: str, value: Any, annotation: Any) -> None:
    """Raises ConfigError where a value is not what an annotation allows."""
    if not accepts(annotation, value):
        raise ConfigError(key, value, f"needs {describe(annotation)}", remedy(annotation))


def suggest(name: str, known: Sequence[str], prefix: str = "") -> str:
    """The nearest of the known names, as a remedy; all of them where none is near."""
    known = [k for k in known if not k.startswith("_")]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"Did you mean {f'{prefix}.{near[0]}'.lstrip('.')}?"
    return f"There are {', '.join(sorted(known))}." if known else ""
