"""Which keys and options a command line can set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from vae_cli.config.construct import word_of
from vae_cli.config.folders import SIDES, built_in_folder, folder_of
from vae_cli.config.parts import NOT_IN_A_RUN, leaves
from vae_cli.files import INTERPOLATION

Groups = Mapping[str, Sequence[str]]  # the options of each group
ALWAYS = (*NOT_IN_A_RUN, *SIDES)  # groups that any configuration may choose an option of
NOT_SET = ("derived.", "data.suggests.")  # found out from the data, or what other keys follow
RUN_DIR = "hydra.run.dir"
FIGURE, WHAT = "figure", "what"  # a group, and vae-sample's word for it


@dataclass(frozen=True)
class Vocabulary:
    """What a command line can set.

    Attributes:
        present: The keys there are, with their values as written.
        groups: The options of each group that the model has.
        lacking: The groups that it has not.
    """

    present: Mapping[str, Any]
    groups: Groups
    lacking: Sequence[str] = ()

    @cached_property
    def absent(self) -> Mapping[str, list[str]]:
        """The keys of options that are not chosen, each with the words that choose one."""
        found: dict[str, list[str]] = {}
        for group in (group for group in self.groups if group not in NOT_IN_A_RUN):
            folder = built_in_folder() / (FIGURE if group == WHAT else folder_of(group))
            for file in sorted(folder.glob("*.yaml")):
                content = _content(file)
                is_listed = not {"_target_", "defaults"} & content.keys()
                option = f"[{file.stem}]" if is_listed else file.stem
                for key, value in leaves(content, folder.name if group == WHAT else _dotted(group)):
                    if key not in self.present and is_settable(key, value):
                        found.setdefault(key, []).append(f"{group}={option}")
        return found


def vocabulary_of(config_name: str, base: DictConfig, groups: Groups) -> Vocabulary:
    """What a command's line can set."""
    plain = OmegaConf.to_container(base)
    present = {key: value for key, value in leaves(plain) if is_settable(key, value)}
    file = built_in_folder() / f"{config_name}.yaml"
    if file.is_file() and "run" in _content(file).get("hydra", {}):
        present[RUN_DIR] = ""
    there = {
        group: options
        for group, options in groups.items()
        if group in ALWAYS or OmegaConf.select(base, _dotted(group)) is not None
    }
    return Vocabulary(present, there, [group for group in groups if group not in there])


def as_vae_sample_says(known: Vocabulary) -> Vocabulary:
    """The same where the pictures are chosen by ``what``; unchanged for other commands."""
    if WHAT not in known.present:
        return known
    present = {key: value for key, value in known.present.items() if key != WHAT}
    groups = {WHAT if group == FIGURE else group: known.groups[group] for group in known.groups}
    return Vocabulary(present, groups, known.lacking)


def name_of(target: str) -> str:
    """What tables and notes call a class: the option that chooses it, of another's its own name."""
    if target.startswith("vae_cli."):
        return word_of(target)
    return _borrowed().get(target, target.rpartition(".")[2])


@cache
def _borrowed() -> dict[str, str]:
    """The options that choose a class of torch's."""
    files = sorted((built_in_folder() / "optimizer").rglob("*.yaml"))
    return {str(_content(file).get("_target_")): file.stem for file in files}


def _dotted(group: str) -> str:
    return group.replace("/", ".")


def is_settable(key: str, value: Any) -> bool:
    """Whether a key is for setting: it is no reference of the model's to another group."""
    is_reference = key.startswith("model.") and INTERPOLATION in str(value)
    is_special = key.rpartition(".")[2].startswith("_") or ".defaults" in key
    return not (is_reference or is_special or key.startswith(NOT_SET))


@cache
def _content(file: Path) -> dict[str, Any]:
    """One of the package's own yamls."""
    content = yaml.load(file.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return content if isinstance(content, dict) else {}
