"""A run's configuration as a flat list of settings."""

from collections.abc import Mapping
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

# No settings, or implied.
OMITTED = {"model", "derived", "metric", "figure", "logger", "resume", "run_id", "trust"}


def settings(config: DictConfig) -> dict[str, Any]:
    """What was or could have been chosen, by dotted keys.

    A group's own key tells which class it is: ``posterior: PlanarPosterior``; that of the data,
    which set.
    """
    plain = cast(dict[str, Any], OmegaConf.to_container(config))
    data = {k: v for k, v in plain["data"].items() if k not in ("suggests", "name")}
    name = plain["data"].get("name") or data["_target_"].split(".")[-2]
    plain["data"] = {**data, "_target_": name}
    flat: dict[str, Any] = {}

    def visit(key: str, node: Any) -> None:
        if isinstance(node, Mapping):
            for name, child in node.items():
                visit(f"{key}.{name}".removesuffix("._target_"), child)
        elif node is not None and not key.endswith("_partial_"):
            flat[key] = node if isinstance(node, (bool, int, float, str)) else str(node)

    for name in (name for name in plain if name not in OMITTED):  # in the order of the file
        visit(name, plain[name])
    for group in ("accelerator", "trainer"):  # of one class each
        flat.pop(group, None)
    return {
        k: v.rpartition(".")[2] if isinstance(v, str) and k in plain else v for k, v in flat.items()
    }


def treatment_of(config: DictConfig) -> dict[str, Any]:
    """Which data a run has, and what is done to their pixels."""
    data = config.data
    return {
        "data": data.get("name") or data._target_.split(".")[-2],
        "binarize": data.binarize,
        "dequantize": data.dequantize,
    }
