"""Configurations of earlier versions become today's."""

from pathlib import Path
from typing import Any

import yaml

from vae_cli.config.earlier import upgrade

RELEASED = Path(__file__).parents[1] / "run" / "released" / "0.1.0" / "config.yaml"
MLP = {"_target_": "vae_cli.network.mlp.MLP", "_partial_": True, "hidden_dims": [4]}


def points(model: dict[str, Any]) -> dict[str, Any]:
    data = {"_target_": "vae_cli.data.plane.spiral"}
    return {"data": data, "derived": {"shape": [1, 1, 2]}, "model": model}


def test_a_network_becomes_an_encoder_and_a_decoder() -> None:
    config = yaml.safe_load(RELEASED.read_text())
    network = config["model"]["network"]
    upgrade(config)
    assert config["model"]["encoder"] == config["model"]["decoder"] == network
    assert "network" not in config["model"] and config["derived"]["shape"] == [1, 8, 8]
    again = yaml.safe_load(yaml.safe_dump(config))
    upgrade(again)
    assert again == config


def test_a_linear_decoder_has_no_network() -> None:
    target = "vae_cli.model.linear_gaussian.LinearGaussian"
    config = points({"_target_": target, "network": MLP})
    upgrade(config)
    assert config["model"] == {"_target_": target, "encoder": MLP}


def test_points_become_vectors_in_every_stage() -> None:
    config = points({"features": {"shape": [1, 1, 2], "network": MLP}})
    upgrade(config)
    assert config["derived"]["shape"] == [2]
    assert config["model"] == {"features": {"shape": [2], "encoder": MLP, "decoder": MLP}}


def test_images_of_two_pixels_stay_images() -> None:
    config = points({"shape": [1, 1, 2]}) | {"data": {"_target_": "vae_cli.data.array.load"}}
    upgrade(config)
    assert config["derived"]["shape"] == config["model"]["shape"] == [1, 1, 2]


def test_what_is_no_configuration_stays() -> None:
    for broken in (None, [], {"model": 3, "data": [], "derived": "x"}):
        upgrade(broken)
