"""Configurations of runs of earlier versions, as today's version writes them."""

from typing import Any

POINTS = "vae_cli.data.plane."  # datasets whose points were images of 1 x 1 x 2
SIDES = {"vae_cli.model.linear_gaussian.LinearGaussian": ("encoder",)}  # others have both


def upgrade(config: Any) -> None:
    """Changes a run's configuration, plain data, to what today's version would write.

    Before 0.2 a model had one ``network`` for both sides, and points of the plane were images.
    What is not a configuration stays as it is, for the checks that follow.
    """
    if not isinstance(config, dict):
        return
    data, derived = config.get("data"), config.get("derived")
    is_plane = isinstance(data, dict) and str(data.get("_target_")).startswith(POINTS)
    if is_plane and isinstance(derived, dict) and derived.get("shape") == [1, 1, 2]:
        derived["shape"] = [2]
    _upgrade_model(config.get("model"), is_plane)


def _upgrade_model(model: Any, is_plane: bool) -> None:
    if not isinstance(model, dict):
        return
    _upgrade_model(model.get("features"), is_plane)
    if is_plane and model.get("shape") == [1, 1, 2]:
        model["shape"] = [2]
    sides = SIDES.get(str(model.get("_target_")), ("encoder", "decoder"))
    if "network" in model and not any(side in model for side in sides):
        model |= dict.fromkeys(sides, model.pop("network"))
