"""The names of pictures: no two different ones have the same."""

import pytest
from omegaconf import OmegaConf

from vae_cli.config.compose import compose
from vae_cli.run.variants import variant

ASKED = {
    (): "reconstructions",
    ("split=test", "seed=0"): "reconstructions",
    ("split=train",): "reconstructions_train",
    ("checkpoint=last", "split=validation"): "reconstructions_validation_last",
    ("seed=3",): "reconstructions_seed-3",
    ("figure.reconstructions.count=5",): "reconstructions_count-5",
}


@pytest.mark.parametrize(("words", "name"), ASKED.items(), ids=str)
def test_what_is_not_usual_is_in_the_name(words: tuple[str, ...], name: str) -> None:
    cfg, usual = (composed(each) for each in (words, ()))
    assert variant("reconstructions", cfg, usual, cfg.split) == name


def test_given_images_bear_their_name() -> None:
    cfg = composed(["data.path=/somewhere/my holiday/"])
    assert variant("reconstructions", cfg, composed([]), "given") == (
        "reconstructions_given-my-holiday"
    )


def test_a_picture_without_images_has_no_split() -> None:
    cfg = composed(["split=train"])
    assert variant("reconstructions", cfg, composed([]), None) == "reconstructions"


def composed(words: object) -> object:
    cfg, _ = compose("sample", ["figure=[reconstructions]", *words])
    OmegaConf.resolve(cfg)
    return cfg
