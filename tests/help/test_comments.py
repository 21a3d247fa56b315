"""What every shipped yaml says about its keys, and how comments are read."""

from pathlib import Path

import pytest

from vae_cli.config.folders import built_in_folder
from vae_cli.help.comments import Choice, Key, comments_of
from vae_cli.help.options import Catalogue
from vae_cli.help.pages import PAGES

YAML = """\
# @package _global_
# What it is. More of it
# on two lines. Try: vae-train a=1
# Try: vae-train b=2
defaults:
  - linear
  - lr_schedule: constant   # how it changes
  - override /data@_global_.data: [a, b]
  - launcher: null
name: "a # b"   # a text
list: [1,
  2]   # two numbers
block: >-   # folded
  some
  text
above:   # what they share
  below: 1   # steps
  bare: null
empty: {}   # names
"""


def test_comments_of_a_yaml(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(YAML, encoding="utf-8")
    found = comments_of(file)
    assert found.is_global and found.summary == "What it is. More of it"
    assert found.about == "What it is. More of it on two lines."
    assert found.commands == ("vae-train a=1", "vae-train b=2")
    assert found.choices == (
        Choice("", ("linear",), ""),
        Choice("lr_schedule", ("constant",), "how it changes"),
        Choice("override /data@_global_.data", ("a", "b"), ""),
        Choice("launcher", (), ""),
    )
    assert found.keys == (
        Key("name", '"a # b"', "a text"),
        Key("list", "[1, 2]", "two numbers"),
        Key("block", "some text", "folded"),
        Key("above", "", "what they share"),
        Key("above.below", "1", "steps"),
        Key("above.bare", "null", ""),
        Key("empty", "{}", "names"),
    )


@pytest.mark.parametrize("file", sorted(built_in_folder().rglob("*.yaml")), ids=lambda f: f.stem)
def test_a_yaml_opens_with_what_it_is_and_a_command(file: Path) -> None:
    found = comments_of(file)
    assert found.summary and found.commands


@pytest.mark.parametrize("command", PAGES)
def test_every_key_and_group_has_a_meaning(command: str) -> None:
    known = Catalogue(command)
    assert [key for key, line in known.keys.items() if not line.meaning] == []
    assert [group for group in known.groups if not known.meaning(group)] == []
    for group, options in known.groups.items():
        for name in options:
            keys = known.option(group, name).keys.values()
            assert [key.name for key in keys if not key.meaning] == [], f"{group}={name}"


@pytest.mark.parametrize("file", sorted(built_in_folder().rglob("*.yaml")), ids=lambda f: f.stem)
def test_an_option_explains_what_the_user_does_not_set(file: Path) -> None:
    """The parts that a model is built of, too; a preset's keys are explained where they belong."""
    group = file.parent.name
    if group in ("experiment", "sweep", "kl_schedule", "model"):
        return
    lines = [key for key in comments_of(file).keys if key.value and "_" not in key.name[:1]]
    bare = [key.name for key in lines if not key.meaning and not key.name.startswith("rows.")]
    assert [name for name in bare if "._" not in name] == []
