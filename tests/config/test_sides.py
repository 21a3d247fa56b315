"""An encoder and a decoder are chosen among networks, each for itself."""

from pathlib import Path
from typing import Any

import pytest

from vae_cli.config.check import resolved
from vae_cli.config.compose import compose
from vae_cli.config.folders import SIDES, groups_of
from vae_cli.errors import VaeCliError
from vae_cli.help.show import help_of

BOTH = ["vae", "flow", "autoencoder", "m2", "m1_m2"]


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def targets(*overrides: str) -> dict[str, str]:
    """The class of each side's network."""
    model = resolved(compose("train", list(overrides))[0])["model"]
    model = _with_sides(model)
    return {side: model[side]["_target_"].rpartition(".")[2] for side in SIDES if side in model}


def _with_sides(model: dict[str, Any]) -> dict[str, Any]:
    """The model, or its features where those have the sides."""
    features = model.get("features") or {}
    return features if "encoder" in features else model


@pytest.mark.parametrize("model", [*BOTH, "m1"])
def test_each_side_may_differ(model: str) -> None:
    chosen = f"model={model}"
    assert targets(chosen) == {"encoder": "MLP", "decoder": "MLP"}
    assert targets(chosen, "network=conv") == {"encoder": "Conv", "decoder": "Conv"}
    assert targets(chosen, "encoder=conv") == {"encoder": "Conv", "decoder": "MLP"}
    both = ["network=linear", "encoder=gated_conv", "decoder=conv"]
    assert targets(chosen, *both) == {"encoder": "GatedConv", "decoder": "Conv"}
    config = resolved(compose("train", [chosen, "decoder=mlp", "decoder.hidden_dims=[512]"])[0])
    model_node = _with_sides(config["model"])
    assert model_node["decoder"]["hidden_dims"] == [512]
    assert model_node["encoder"]["hidden_dims"] == [400, 400]


def test_a_linear_model_has_an_encoder_alone() -> None:
    assert targets("model=ppca", "posterior=diagonal", "encoder=conv") == {"encoder": "Conv"}


def test_every_network_serves_both_sides(tmp_path: Path) -> None:
    own = tmp_path / "conf" / "vae_cli" / "network"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("defaults: [mlp, _self_]\nhidden_dims: [7]\n")
    groups = groups_of("train", [tmp_path / "conf" / "vae_cli"])
    assert groups["encoder"] == groups["decoder"] == groups["network"]
    assert "mine" in groups["network"]
    with pytest.warns(match="network/mine.yaml"):
        config = resolved(compose("train", ["encoder=mine"])[0])
    assert config["model"]["encoder"]["hidden_dims"] == [7]


def test_help_lists_them() -> None:
    for side in SIDES:
        assert f"\n  {side}: " in help_of("train")
        assert "gated_conv" in help_of("train", [side])
        assert f"{side}.hidden_dims" in help_of("train", [f"{side}=mlp"])


@pytest.mark.parametrize(
    ("overrides", "remedy"),
    [
        (["encoder=con"], "Did you mean encoder=conv?"),
        (["encoder=conv", "encoder.chanels=[3]"], "Did you mean 'encoder.channels=[3]'?"),
        (["decoder.hidden_dims=[3]"], "It belongs to decoder=linear and decoder=mlp."),
    ],
)
def test_typos(overrides: list[str], remedy: str) -> None:
    with pytest.raises(VaeCliError) as caught:
        compose("train", overrides)
    assert remedy in str(caught.value)
