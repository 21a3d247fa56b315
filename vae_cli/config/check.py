"""Checks a composed configuration against what its targets accept, before anything is built."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_origin

from omegaconf import DictConfig, OmegaConf, open_dict

from vae_cli.config.folders import NETWORK, SIDES
from vae_cli.config.keys import SETTINGS, SHARED, TORCH, Epochs, Keys
from vae_cli.config.nearest import nearest, suggest
from vae_cli.config.references import check_references, fill_in
from vae_cli.config.signature import Signature, signature_of
from vae_cli.errors import NAME, ConfigError, VaeCliError, in_part
from vae_cli.options import read

# Groups of which an option must be something to build; of the first five a model may have none.
NEEDLESS = (*SIDES, "posterior", "prior", "kl_schedule")
BUILT = (
    *NEEDLESS, "data", NETWORK, "likelihood", "model", "objective", "optimizer", "trainer",
    "accelerator",
)  # fmt: skip
BUILDERS = (*SIDES, NETWORK, "likelihood", "posterior", "prior")  # that the model calls
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
SPECIAL: Keys = {  # what Hydra takes for itself
    "_target_": str, "_partial_": bool, "_recursive_": bool,
    "_convert_": Literal["none", "partial", "object", "all"],
}  # fmt: skip


def check(cfg: DictConfig, groups: Iterable[str], settings: Keys = SETTINGS["train"]) -> None:
    """Raises ConfigError for the first value that breaks a rule.

    Args:
        cfg: As composed, without Hydra's own part; nothing of it is changed.
        groups: Names of the configuration groups.
        settings: The keys at the top.
    """
    rule, derived, known = "is computed from the data", cfg.get("derived"), list(groups)
    if derived is not None and not isinstance(derived, DictConfig):
        raise ConfigError("derived", derived, rule, "Leave it out.")
    for name in map(str, derived or {}):
        if not OmegaConf.is_missing(cfg.derived, name):
            raise ConfigError(f"derived.{name}", cfg.derived[name], rule, "Leave it out.")
    needless = NEEDLESS if "model" in known else ()
    for key in (*settings, *(group for group in BUILT if group in known and group not in needless)):
        if key not in cfg:
            raise is_required(key, "OPTION" if key in known else "VALUE")
    check_references(cfg)
    plain = resolved(cfg)
    check_keys("", plain, [*settings, *known, "derived"])
    for key, annotation in settings.items():
        check_value(key, plain[key], annotation)
    for group in sorted(plain, key=lambda group: group == "model"):  # last: it is made of others
        if group not in settings and group != "derived":
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
        for name, child in node.items():
            _check_values(f"{key}.{name}".lstrip("."), child, is_torch)
    elif isinstance(node, list):
        for child in node:
            _check_values(key, child, is_torch)
    elif node == MISSING:
        raise ConfigError(key, node, "has no value", "Write one.")
    elif isinstance(node, int) and node.bit_length() > BITS:
        raise ConfigError(key, node, f"needs a number of no more than {BITS} bits")
    elif isinstance(node, float) and is_torch:
        size = abs(node)
        if 0 < size < SMALLEST or LARGEST < size < math.inf:
            what = "infinite" if size > 1 else "0"
            raise ConfigError(key, node, f"is {what} in float32, in which torch computes")


def check_group(group: str, node: Any) -> None:
    """Checks a group: one thing to build, or several by name.

    Raises:
        ConfigError: For the first value that breaks a rule.
    """
    if not isinstance(node, dict):
        rule = "is a group, not a key"
        raise ConfigError(group, node, rule, f"Leave it out, or try {group}=OPTION.")
    if group in BUILT and not node:
        rule = "has no _target_: there is nothing to build"
        raise ConfigError(group, node, rule, f"Try another {group}=OPTION.")
    if group in BUILT and "_target_" not in node:
        raise is_required(f"{group}._target_")
    for name, child in node.items() if "_target_" not in node else ():
        if not isinstance(child, dict):
            raise ConfigError(f"{group}.{name}", child, NO_SUCH_KEY)
        if "_target_" not in child:
            raise is_required(f"{group}.{name}._target_")
    _check_node(group, node)
    if group in BUILDERS:
        _check_builder(group, node)


def _check_node(key: str, node: Any) -> None:
    if isinstance(node, dict):
        if "_target_" in node:
            _check_target(key, node, SHARED.get(key, {}))
        for name, child in node.items():
            _check_node(f"{key}.{name}", child)


def _check_target(key: str, node: dict[str, Any], shared: Keys) -> None:
    target = node["_target_"]
    signature = signature_of(target) if isinstance(target, str) else None
    if signature is None:
        remedy = "Is its module installed, or on PYTHONPATH?"
        raise ConfigError(f"{key}._target_", target, "there is no such class or function", remedy)
    ranges = TORCH if target.startswith("torch.optim.") else {}
    own = {name: ranges.get(name, each) for name, each in signature.annotations.items()}
    annotations = {**SPECIAL, **own, **shared}
    durations = {epochs: name for name in own if (epochs := in_epochs(name))}
    if not signature.takes_any:
        check_keys(key, node, [*annotations, *durations])
    needed = [name for name, annotation in shared.items() if not read(annotation).accepts(None)]
    for name in (*needed, *_needed(key, node, signature)):
        if name not in node:
            raise is_required(f"{key}.{name}")
    for epochs, name in durations.items():
        if epochs in node and node.get(name) is None and node[epochs] is None:
            example = "[10]" if name == MILESTONES else "10"
            rule = "needs a number of steps, or of epochs"
            raise ConfigError(f"{key}.{name}", None, rule, f"Try {key}.{epochs}={example}.")
        if node.get(epochs) is not None and epochs not in annotations:
            annotations[epochs] = Sequence[Epochs] if name == MILESTONES else Epochs
    for name, value in node.items():
        if name not in annotations or (value is None and node.get(in_epochs(name)) is not None):
            continue
        if name in SIZES and node.get("_partial_"):
            rule = "is a size that the model sets"
            raise ConfigError(f"{key}.{name}", value, rule, "Leave it out.")
        check_value(f"{key}.{name}", value, annotations[name], key)
        if get_origin(annotations[name]) is Callable:
            _check_builder(f"{key}.{name}", value)


def _needed(key: str, node: dict[str, Any], signature: Signature) -> list[str]:
    """The parameters that a node has to set: what has no default, and the code does not give."""
    needed = [name for name in signature.required if in_epochs(name) not in node]
    group, is_partial = key.partition(".")[0], bool(node.get("_partial_"))
    if is_partial or group == "optimizer":  # the code gives what comes first: weights
        needed = needed[1:]
    given = SIZES * (is_partial or group != "model") + ("save_dir",) * (group == "logger")
    return [name for name in needed if name not in given]


def _check_builder(key: str, node: Any) -> None:
    """What the code calls, with the sizes it knows, must be something to call."""
    if not isinstance(node, dict) or "_target_" not in node:
        raise ConfigError(key, node, "needs something to build", f"Try {key}=OPTION.")
    signature = signature_of(node["_target_"]) if isinstance(node["_target_"], str) else None
    if signature is not None and not (node.get("_partial_") or signature.is_called):
        rule = "must be true: the code gives the sizes"
        raise ConfigError(f"{key}._partial_", node.get("_partial_"), rule, "Put it into the yaml.")


def in_epochs(name: str) -> str:
    """``warmup_epochs`` for ``warmup_steps``: the same duration in the other unit.

    And ``milestones_epochs`` for ``milestones``, torch's word for steps.
    """
    is_duration = name.endswith("_steps") or name == MILESTONES
    return f"{name.removesuffix('_steps')}_epochs" if is_duration else ""


def check_keys(key: str, node: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Raises ConfigError for the first key of a node that is not allowed."""
    for name in (name for name in node if name not in allowed):
        dotted = f"{key}.{name}".lstrip(".")
        raise ConfigError(dotted, node[name], NO_SUCH_KEY, suggest(name, allowed, key))


def check_value(key: str, value: Any, annotation: Any, part: str = "") -> None:
    """Raises ConfigError where a value is not what an annotation allows.

    Args:
        key, value, annotation: Of the option.
        part: Key of the node with the ``_target_`` that the option belongs to.
    """
    kind = read(annotation)
    if not kind.accepts(value):
        remedy = NAME.sub(r"\1", in_part(part, kind.remedy)) or nearest(key, value, kind.names)
        raise ConfigError(key, value, f"needs {kind.words(value)}", remedy)
