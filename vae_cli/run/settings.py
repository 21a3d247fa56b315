"""A run's configuration as a flat list of settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from vae_cli.config.construct import word_of
from vae_cli.config.vocabulary import name_of
from vae_cli.files import UnsafeFile, read_yaml

IMPLIED = {"_target_", "shape", "latent_dim", "classes", "units"}  # of a model's own options
# No settings, or implied.
OMITTED = {"derived", "metric", "figure", "logger", "resume", "run_id", "trust"}
MOST = 300  # settings; a run has about 50
LONGEST = 200  # characters of a key, or of the name of data


def read_config(path: Path) -> dict[str, Any]:
    """A run's ``config.yaml`` as plain data, in which ``settings`` finds what it looks for.

    Raises:
        UnsafeFile: If it can't be read, or does not say which data and model.
    """
    config = read_yaml(path)
    for group in ("data", "model"):
        node = config.get(group) if isinstance(config, dict) else None
        if not isinstance(node, dict) or not isinstance(node.get("_target_"), str):
            raise UnsafeFile(f"{path.name} does not tell which {group} the run has")
    return cast(dict[str, Any], config)


def read_overrides(path: Path) -> list[str]:
    """A run's ``overrides.yaml``: what its user chose, as texts for the command line.

    Raises:
        UnsafeFile: If it can't be read, or is no list of texts.
    """
    found = read_yaml(path) or []
    if not isinstance(found, list) or any(isinstance(item, (dict, list)) for item in found):
        raise UnsafeFile(f"{path.name} is no list of texts")
    return [str(item) for item in found]


def settings_of_run(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that distinguish runs, the model first.

    Args:
        config: Every value concrete, as dicts and lists.
    """
    return {"model": name_of(config["model"]["_target_"]), **settings(config)}


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """What was or could have been chosen, by dotted keys.

    A group's own key tells which option it is: ``posterior: planar``, or ``posterior: Mine`` for a
    class that is not of this package; that of the data, which set.

    Args:
        config: Every value concrete, as dicts and lists.
    """
    data = {k: v for k, v in config["data"].items() if k not in ("suggests", "name")}
    groups = {**config, "data": {**data, "_target_": treatment_of(config)["data"]}}
    # A model's options that are none of another group's: which classifier, whose features.
    own = {k: v for k, v in config["model"].items() if not isinstance(v, Mapping)}
    groups["model"] = {k: v for k, v in own.items() if k not in IMPLIED}
    flat: dict[str, Any] = {}

    def is_shown(key: str) -> bool:
        return len(key) <= LONGEST and len(flat) < MOST

    def visit(key: str, node: Any) -> None:
        if isinstance(node, Mapping):
            for name, child in node.items():
                is_class = name == "_target_" and isinstance(child, str) and key != "data"
                value = name_of(child) if is_class else child
                visit(f"{key}.{name}".removesuffix("._target_"), value)
        elif node is not None and not key.endswith("_partial_") and is_shown(key):
            flat[key] = node if isinstance(node, (bool, int, float, str)) else str(node)

    for name in (name for name in groups if name not in OMITTED):  # in the order of the file
        visit(name, groups[name])
    for group in ("accelerator", "trainer"):  # of one class each
        flat.pop(group, None)
    return flat


def treatment_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Which data a run has, and what is done to their pixels."""
    data = config["data"]
    return {
        "data": str(data.get("name") or word_of(data["_target_"]))[:LONGEST],
        "binarize": str(data.get("binarize", "none"))[:LONGEST],
        "dequantize": data.get("dequantize") is True,
    }


def place_of_data(config: Mapping[str, Any]) -> str | None:
    """The file or folder of the user's own images; None of a dataset that has a name."""
    data = config["data"]
    is_folder = word_of(data["_target_"]) == "image_folder"
    place = data.get("path") or (data.get("root") if is_folder else None)
    return None if place is None else str(place)[:LONGEST]


def plain(config: DictConfig) -> dict[str, Any]:
    """A configuration as dicts and lists."""
    return cast(dict[str, Any], OmegaConf.to_container(config))
