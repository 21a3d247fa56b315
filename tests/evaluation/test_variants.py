"""The names of pictures: no two different ones have the same."""

import re
from typing import Any

import pytest
from omegaconf import OmegaConf

from vae_cli.config.compose import compose
from vae_cli.evaluation.variants import variant

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
    name = variant("reconstructions", cfg, composed([]), "given")
    assert re.fullmatch(r"reconstructions_given-my-holiday-[0-9a-f]{6}", name)


ALIKE = [
    1, -1, 1.5, "v1.0", "v1.1", "a/x.png", "b/x.png", "a/x.npy", [1, 2], [12], "-", "",
    *(["x" * 40 + end for end in "ab"]), *([[0] * 200 + [end] + [0] * 200 for end in (1, 2)]),
]  # fmt: skip


def test_different_values_give_different_names() -> None:
    names = set()
    for value in ALIKE:
        cfg, usual = composed([]), composed([])
        OmegaConf.set_struct(cfg, False)
        cfg.figure.reconstructions.other = value
        names.add(variant("reconstructions", cfg, usual, "test"))
    assert len(names) == len(ALIKE)
    assert all(re.fullmatch(r"reconstructions_other-[\w.-]+", name) for name in names)


def test_a_picture_without_images_has_no_split() -> None:
    cfg = composed(["split=train"])
    assert variant("reconstructions", cfg, composed([]), None) == "reconstructions"


def composed(words: Any) -> Any:
    cfg, _ = compose("sample", ["figure=[reconstructions]", *words])
    OmegaConf.resolve(cfg)
    return cfg
