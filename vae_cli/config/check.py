"""Checks a composed configuration against what its targets accept, before anything is built."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_origin

from omegaconf import DictConfig, OmegaConf, open_dict

from vae_cli.config.keys import SHARED, Epochs, TorchSettings, TrainSettings
from vae_cli.config.nearest import nearest, suggest
from vae_cli.config.references import check_references, fill_in
from vae_cli.config.signature import Signature, signature_of
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.options import accepts, describe, remedy

# Groups of which an option must be something to build.
BUILT = (
    "data", "network", "encoder", "decoder", "likelihood", "posterior", "prior", "model",
    "objective", "kl_schedule", "optimizer", "trainer", "accelerator",
)  # fmt: skip
NEEDLESS = (
    "encoder",
    "decoder",
    "posterior",
    "prior",
    "kl_schedule",
)  # of which a model may have none
NO_SUCH_KEY = "there is no such key"  # the rule that a name breaks
MISSING = "???"  # OmegaConf's sign for a value that somebody has still to give
BITS = 63  # of a whole number
SMALLEST, LARGEST = 2.0**-149, (2 - 2.0**-23) * 2.0**127  # of float32, in which torch computes
PLACEHOLDERS = {
    "shape": [1, 1, 1], "levels": 2, "classes": 2, "train_images": 1, "labelled_images": 1,
    "steps_per_epoch": 1, "total_steps": 1,
}  # fmt: skip
MILESTONES = "milestones"
SIZES = ("in_shape", "out_shape", "condition_dim", "latent_dim")  # that the code gives a builder
SAVE_DIR = "save_dir"  # of a logger: the code gives it
SPECIAL = {  # what Hydra takes for itself
    "_target_": str,
    "_partial_": bool,
    "_recursive_": bool,
    "_convert_": Literal["none", "partial", "object", "all"],
}


def check(cfg: DictConfig, groups: Iterable[str], settings: type = TrainSettings) -> None:
    """Raises ConfigError for the first value that breaks a rule.

    Args:
        cfg: As composed, without Hydra's own part; nothing of it is changed.
        groups: Names of the configuration groups.
        settings: The keys at the top.
    """
    derived = cfg.get("derived")
    if derived is not None and not isinstance(derived, DictConfig):
        raise ConfigError("derived", derived, "is found out from the data", "Leave it out.")
    for name in map(str, derived or {}):
        if not OmegaConf.is_missing(cfg.derived, name):
            rule = "is found out from the data, not for setting"
            raise ConfigError(f"derived.{name}", cfg.derived[name], rule, "Leave it out.")
    own = settings.__annotations__
    known = list(groups)
    needless = NEEDLESS if "model" in known else ()
    for key in (*own, *(group for group in BUILT if group in known and group not in needless)):
        if key not in cfg:
            raise is_required(key, "OPTION" if key in known else "VALUE")
    check_references(cfg)
    plain = resolved(cfg)
    check_keys("", plain, [*own, *known, "derived"])
    for key, annotation in own.items():
        check_value(key, plain[key], annotation)
    for group in plain:
        if group not in own and group != "derived":
            check_group(group, plain[group])
    _check_values("", plain)  # last: a key's own rule says more


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """A configuration as plain data, with placeholders for what the data decide.

    Raises:
        ConfigError: For the first value that refers to what is not there.
    """
    cfg = cfg.copy()
    with open_dict(cfg):
        cfg.derived = PLACEHOLDERS
    return fill_in(cfg)


def is_required(key: str, example: str = "VALUE") -> VaeCliError:
    """The mistake of a configuration that lacks a key."""
    return VaeCliError(f"~{key}: {key} is required. Try {key}={example}.")


def _check_values(key: str, node: Any, is_torch: bool = True) -> None:
    """Values are there, and numbers are those of a processor: torch and numpy have no others."""
    if isinstance(node, dict):
        target = node.get("_target_")
        is_torch = is_torch if target is None else str(target).startswith(("vae_cli.", "torch."))
    if isinstance(node, (dict, list)):
        for name, child in node.items() if isinstance(node, dict) else enumerate(node):
            part = f"{key}.{name}".lstrip(".") if isinstance(node, dict) else key
            _check_values(part, child, is_torch)
    elif node == MISSING:
        raise ConfigError(key, node, "has no value", "Write one.")
    elif isinstance(node, int) and node.bit_length() > BITS:
        raise ConfigError(key, node, f"needs a number of no more than {BITS} bits")
    elif isinstance(node, float) and is_torch and _is_lost_in_float32(abs(node)):
        what = "infinite" if abs(node) > 1 else "0"
        raise ConfigError(key, node, f"is {what} in float32, in which torch computes")


def _is_lost_in_float32(size: float) -> bool:
    return 0 < size < SMALLEST or LARGEST < size < math.inf


def check_group(group: str, node: Any) -> None:
    """Checks a group: one thing to build, or several by name.

    Raises:
        ConfigError: For the first value that breaks a rule.
    """
    if not isinstance(node, dict):
        rule = "is a group, to choose an option of"
        raise ConfigError(group, node, rule, f"Leave it out, or try {group}=OPTION.")
    if group in BUILT and "_target_" not in node:
        if node:
            raise is_required(f"{group}._target_")
        rule = "has no _target_: there is nothing to build"
        raise ConfigError(group, node, rule, f"Try another {group}=OPTION.")
    for name, child in node.items() if "_target_" not in node else ():
        if not isinstance(child, dict):
            raise ConfigError(f"{group}.{name}", child, NO_SUCH_KEY)
        if "_target_" not in child:
            raise is_required(f"{group}.{name}._target_")
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
    annotations = SPECIAL | signature.annotations | (shared.__annotations__ if shared else {})
    if target.startswith("torch.optim."):
        ranges = TorchSettings.__annotations__
        annotations |= {name: ranges[name] for name in signature.annotations if name in ranges}
    allowed = [*annotations, *_in_epochs(signature)]
    if not signature.takes_any:
        check_keys(key, node, allowed)
    for name, annotation in (shared.__annotations__ if shared else {}).items():
        if name not in node and not accepts(annotation, None):
            raise is_required(f"{key}.{name}")
    for name in _needed(key, node, signature):
        if name not in node:
            raise is_required(f"{key}.{name}")
    for name, annotation in annotations.items():
        value, epochs = node.get(name), in_epochs(name)
        if value is None and epochs in node:
            if node[epochs] is None:
                rule = "needs a number of steps, or of epochs"
                example = "[10]" if name == MILESTONES else "10"
                raise ConfigError(f"{key}.{name}", None, rule, f"Try {key}.{epochs}={example}.")
        elif name in node:
            if name in SIZES and node.get("_partial_"):
                rule = "is a size, and the model gives it"
                raise ConfigError(f"{key}.{name}", value, rule, "Leave it out.")
            check_value(f"{key}.{name}", value, annotation)
            if get_origin(annotation) is Callable:
                _check_builder(name, value)
    for name in _in_epochs(signature):
        if node.get(name) is not None and name not in annotations:
            annotation = Sequence[Epochs] if name == in_epochs(MILESTONES) else Epochs
            check_value(f"{key}.{name}", node[name], annotation)


def _needed(key: str, node: dict[str, Any], signature: Signature) -> list[str]:
    """The parameters that a node has to set: what has no default, and the code does not give."""
    needed = [name for name in signature.required if in_epochs(name) not in node]
    group = key.partition(".")[0]
    if node.get("_partial_") or group == "optimizer":  # the code gives what comes first: weights
        needed = needed[1:]
    given = SIZES if node.get("_partial_") or group != "model" else ()
    return [name for name in needed if name not in given and (group, name) != ("logger", SAVE_DIR)]


def _check_builder(key: str, node: Any) -> None:
    """What the code calls, with the sizes it knows, must be something to call."""
    if not isinstance(node, dict) or "_target_" not in node:
        raise ConfigError(key, node, "needs something to build", f"Try {key}=OPTION.")
    signature = signature_of(node["_target_"]) if isinstance(node["_target_"], str) else None
    if signature is not None and not (node.get("_partial_") or signature.is_called):
        rule = "needs true, as the code gives the sizes"
        raise ConfigError(f"{key}._partial_", node.get("_partial_"), rule, "Put it into the yaml.")


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
            raise ConfigError(dotted, node[name], NO_SUCH_KEY, suggest(name, allowed, key))


def check_value(key: str, value: Any, annotation: Any) -> None:
    """Raises ConfigError where a value is not what an annotation allows."""
    if not accepts(annotation, value):
        advice = remedy(annotation) or nearest(key, value, annotation)
        raise ConfigError(key, value, f"needs {describe(annotation, value)}", advice)
