"""Hydra's grammar of several values, in Optuna's terms."""

from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from spaces import choices

from vae_cli.config.sweep import compose_sweep
from vae_cli.errors import ConfigError
from vae_cli.sweep.space import space_of


@pytest.mark.parametrize(("text", "expected"), [
    ("posterior=diagonal,planar", CategoricalDistribution(["diagonal", "planar"])),
    ("network.hidden_dims=choice([8,8],[16])", CategoricalDistribution(["[8,8]", "[16]"])),
    ("latent_dim=range(2,20)", IntDistribution(2, 19)),
    ("latent_dim=range(2,20,4)", IntDistribution(2, 18, step=4)),
    ("latent_dim=range(20,2,-4)", IntDistribution(4, 20, step=4)),
    ("latent_dim=tag(log,range(1,65))", IntDistribution(1, 64, log=True)),
    ("latent_dim=int(interval(2,20))", IntDistribution(2, 20)),
    ("latent_dim=tag(log,int(interval(1,64)))", IntDistribution(1, 64, log=True)),
    ("optimizer.lr=interval(1e-4,1e-2)", FloatDistribution(1e-4, 1e-2)),
    ("optimizer.lr=tag(log,interval(1e-4,1e-2))", FloatDistribution(1e-4, 1e-2, log=True)),
    ("kl_schedule.weight=range(0.1,0.4,0.1)", FloatDistribution(0.1, 0.4, step=0.1)),
])  # fmt: skip
def test_hydras_grammar(text: str, expected: Any) -> None:
    space = space_of(choices(text, "seed=3"))
    assert space.distributions == {text.partition("=")[0]: expected}
    assert space.fixed == ["seed=3"]


@pytest.mark.parametrize(("text", "said"), [
    ("latent_dim=tag(log,range(2,20,3))", "a log scale has no steps"),
    ("optimizer.lr=tag(log,interval(0,1))", "low"),
    ("optimizer.lr=tag(log,range(0.1,0.4,0.1))", "a log scale has no steps"),
    ("seed=3", "no key with several values"),
    ("seed=choice(3)", "no key with several values"),
])  # fmt: skip
def test_what_can_not_be_searched(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        space_of(choices(text))


def test_a_long_range_is_checked_at_its_ends() -> None:
    settings, _ = compose_sweep("train", ["sweep=optuna", "latent_dim=range(1,100000)"], None)
    assert settings.sampler == "tpe"
    with pytest.raises(ConfigError, match="latent_dim=0"):
        compose_sweep("train", ["sweep=optuna", "latent_dim=range(0,100000)"], None)
    with pytest.raises(ConfigError, match="has no values"):
        compose_sweep("train", ["sweep=optuna", "latent_dim=range(5,2)"], None)
