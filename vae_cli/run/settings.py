"""A run's configuration as a flat list of settings."""

from collections.abc import Mapping
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf


def settings(config: DictConfig) -> dict[str, Any]:
    """The configuration by dotted keys, for the HPARAMS tab and for telling runs apart.

    A group's own key tells which class it is: ``posterior: PlanarPosterior``.
    """
    flat: dict[str, Any] = {}

    def visit(key: str, node: Any) -> None:
        if isinstance(node, Mapping):
            for name, child in node.items():
                visit(f"{key}.{name}".removesuffix("._target_"), child)
        elif node is not None and not key.endswith("_partial_"):
            flat[key] = node if isinstance(node, (bool, int, float, str)) else str(node)

    plain = cast(dict[str, Any], OmegaConf.to_container(config))
    left_out = {"model", "derived", "metric", "figure", "logger", "resume"}
    for name in (name for name in plain if name not in left_out):  # in the order of the file
        visit(name, plain[name])
    return {
        k: v.rpartition(".")[2] if isinstance(v, str) and k in plain else v for k, v in flat.items()
    }


def treatment_of(config: DictConfig) -> dict[str, Any]:
    """Which data a run has, and what is done to their pixels."""
    data = config.data
    return {
        "data": data.get("name") or data._target_.split(".")[-2],
        "data_path": data.get("path"),
        "binarize": data.binarize,
        "dequantize": data.dequantize,
    }
