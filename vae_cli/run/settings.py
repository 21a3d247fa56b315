"""A run's configuration as a flat list of settings."""

from collections.abc import Mapping
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from vae_cli.config.construct import word_of

IMPLIED = {"_target_", "shape", "latent_dim", "classes", "units"}  # of a model's own options
# No settings, or implied.
OMITTED = {"derived", "metric", "figure", "logger", "resume", "run_id", "trust"}


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """What was or could have been chosen, by dotted keys.

    A group's own key tells which class it is: ``posterior: PlanarPosterior``; that of the data,
    which set.

    Args:
        config: Every value concrete, as dicts and lists.
    """
    data = {k: v for k, v in config["data"].items() if k not in ("suggests", "name")}
    groups = {**config, "data": {**data, "_target_": treatment_of(config)["data"]}}
    # A model's options that are none of another group's: which classifier, whose features.
    own = {k: v for k, v in config["model"].items() if not isinstance(v, Mapping)}
    groups["model"] = {k: v for k, v in own.items() if k not in IMPLIED}
    flat: dict[str, Any] = {}

    def visit(key: str, node: Any) -> None:
        if isinstance(node, Mapping):
            for name, child in node.items():
                visit(f"{key}.{name}".removesuffix("._target_"), child)
        elif node is not None and not key.endswith("_partial_"):
            flat[key] = node if isinstance(node, (bool, int, float, str)) else str(node)

    for name in (name for name in groups if name not in OMITTED):  # in the order of the file
        visit(name, groups[name])
    for group in ("accelerator", "trainer"):  # of one class each
        flat.pop(group, None)
    return {
        k: v.rpartition(".")[2] if isinstance(v, str) and k in config else v
        for k, v in flat.items()
    }


def treatment_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Which data a run has, and what is done to their pixels."""
    data = config["data"]
    return {
        "data": data.get("name") or word_of(data["_target_"]),
        "binarize": data["binarize"],
        "dequantize": data["dequantize"],
    }


def plain(config: DictConfig) -> dict[str, Any]:
    """A configuration as dicts and lists."""
    return cast(dict[str, Any], OmegaConf.to_container(config))
