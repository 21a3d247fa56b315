"""Words of a command line that name nothing: what is wrong, and the words that were meant."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vae_cli.config.check import NO_SUCH_KEY
from vae_cli.config.guess import option_for, words_for
from vae_cli.config.local_folder import remedy_for
from vae_cli.config.nearest import list_names, suggest
from vae_cli.config.synonyms import meanings
from vae_cli.config.trust import SAVED
from vae_cli.config.vocabulary import Vocabulary
from vae_cli.errors import ConfigError, VaeCliError, shell_word, shortened

OPTIONAL = {"experiment": (None,), "launcher": (None,)}  # groups of which nothing need be chosen
FEW = 3  # options that have a key, of which a message shows how one is chosen
FLAG = 0.78  # how near a flag is to another
ARRAYS = (".npy", ".npz", ".mat")


def unknown_option(override: Override, known: Vocabulary) -> ConfigError | None:
    """The mistake of an option that there is not; None if there is each."""
    group, choice = override.key_or_group, override.value()
    options = () if override.is_delete() else known.groups.get(group, ())
    for name in choice if isinstance(choice, list) else [choice]:
        if options and name not in (*options, *OPTIONAL.get(group, ())):
            word = option_for(group, str(name), known)
            if group == "data" and not word:
                word = _path_as_word("train", str(name))
            if isinstance(choice, list) and word.startswith(f"{group}="):
                meant = word.partition("=")[2].strip("[]")
                listed = [meant if each == name else str(each) for each in choice]
                word = f"{group}=[{','.join(filter(None, listed))}]"
            near = _did_you_mean([word] if word else []) or list_names(options)
            remedy = remedy_for(group, str(name)) or near
            return ConfigError(group, name, "there is no such option", remedy)
    return None


def unknown_key(
    override: Override, value: str, base: DictConfig, known: Vocabulary
) -> VaeCliError | None:
    """The mistake of a key that there is not; None if there is."""
    node: Any = base
    key, walked = override.key_or_group, list[str]()
    for part in key.split("."):
        names = [str(name) for name in node] if isinstance(node, DictConfig) else []
        if part not in names:
            break
        walked.append(part)
        node = select(base, ".".join(walked))
    else:
        return None
    names += [] if walked else [group for group in known.groups if group not in names]
    if override.is_delete():
        meant = [f"~{word.partition('=')[0]}" for word in words_for(key, "", known)]
        near = _did_you_mean(meant) or list_names(names)
        return VaeCliError(f"~{shortened(key)}: {NO_SUCH_KEY}. {near}")
    parts = [name.partition(".")[0] for name in [key, *meanings(key)]]
    lacking = [group for group in parts if group in known.lacking]
    if lacking:  # the model has none, say
        return ConfigError(key, override.value(), f"there is no {lacking[0]} here", "Leave it out.")
    remedy = remedy_of(key, value, known) or list_names(names)
    return ConfigError(key, override.value(), NO_SUCH_KEY, remedy)


def unknown_hydra_key(override: Override, everything: DictConfig) -> VaeCliError | None:
    """The mistake of a key of Hydra's own that there is not; None if there is.

    Args:
        override: Of a key below ``hydra``.
        everything: A configuration with Hydra's own part.
    """
    above, _, name = override.key_or_group.rpartition(".")
    node, line = select(everything, above), shortened(str(override.input_line))
    if not isinstance(node, DictConfig):
        return unknown_hydra_key(replace(override, key_or_group=above), everything)
    if name in node or override.is_add():
        return None
    names = [str(key) for key in node]
    remedy = suggest(name, names, above) if names else f"Try +{line.lstrip('+~')}."
    return VaeCliError(f"{line}: {NO_SUCH_KEY}. {remedy}")


def remedy_of(key: str, value: str, known: Vocabulary) -> str:
    """What to write in place of a key that there is not; empty where nothing is near."""
    words = [word for word in words_for(key, value, known) if word.partition("=")[0] != key]
    choices = known.absent.get(key, ())
    if not words or not any(words[0].startswith(choice) for choice in choices):
        return _did_you_mean(words)
    belongs = f"It belongs to {' and '.join(choices)}."
    return f"{belongs} Try {words[0]}." if len(choices) <= FEW else belongs


def explain_bare(
    config_name: str,
    arguments: Sequence[str],
    word: str,
    known: Vocabulary,
    flags: Sequence[str] = (),
) -> VaeCliError:
    """The mistake of a word that is neither an override nor a flag."""
    place = arguments.index(word)
    before, behind = arguments[place - 1] if place else "", [*arguments[place + 1 :], "", ""]
    rule, meant = "is not of the form key=value", _path_as_word(config_name, word)
    words = [meant] if meant else [flag for flag in flags if flag == f"--{word}"]
    if before.endswith("="):  # lr= 0.1
        word, words = f"{before} {word}", words_for(before.rstrip("="), word, known)
    if not words and ":" in word:  # data:mnist
        key, _, value = word.partition(":")
        words = words_for(key, value, known)
    if not words and (option := option_for("", word, known)):
        words = [option]
    if not words:  # lr 0.1, or lr = 0.1
        value = behind[behind[0] == "="].lstrip("=")
        words = words_for(word, "" if "=" in value or value.startswith("--") else value, known)
    if not words and "run" in known.present:
        words = [shell_word(f"run={word}")]
    return VaeCliError(f"{shortened(word)}: {rule}. {_did_you_mean(words) or 'Try --help.'}")


def _path_as_word(config_name: str, word: str) -> str:
    """The override that a path may be meant as; empty for none."""
    path = Path(word)
    try:
        is_there = path.exists()
        is_run = (path / SAVED).is_file()
    except (OSError, ValueError):  # of a name that no file system takes
        return ""
    if config_name != "train":
        has_run = config_name != "flow" and (is_there or "/" in word)
        return shell_word(f"run={word}") if has_run else ""
    if not is_there:
        return ""
    if is_run:
        return shell_word(f"resume={word}")
    if path.suffix in ARRAYS:
        return f"data=array {shell_word(f'data.path={word}')}"
    return f"data=image_folder {shell_word(f'data.root={word}')}" if path.is_dir() else ""


def explain_flags(
    flags: Sequence[tuple[str, str]], options: Iterable[str], known: Vocabulary
) -> VaeCliError:
    """The mistake of flags that there are not.

    Args:
        flags: As given, each with its value; empty for none.
        options: The flags that there are.
        known: What can be set.
    """
    words = [_flag_as_word(flag, value, known) for flag, value in flags]
    given = [" ".join(filter(None, flag)) for flag, word in zip(flags, words, strict=True) if word]
    if given:
        meant = " ".join(word for word in words if word)
        rule = "options are key=value, without dashes"
        return VaeCliError(f"{shortened(' '.join(given))}: {rule}. Try {shortened(meant)}.")
    unknown = flags[0][0]
    near = difflib.get_close_matches(unknown, list(options), n=1, cutoff=FLAG)
    remedy = _did_you_mean(near) or "Try --help."
    return VaeCliError(f"unrecognized arguments: {shortened(unknown)}. {remedy}")


def _flag_as_word(flag: str, value: str, known: Vocabulary) -> str:
    """``--max-epochs 3`` as an override; empty for none."""
    name = flag.lstrip("-").replace("-", "_")
    plain = name.removeprefix("no_")
    if plain != name and not meanings(name):
        words = [word for word in words_for(plain, "false", known) if _is_switch(word, known)]
    else:
        words = words_for(name, value, known)
        if words and _is_switch(words[0], known) and value not in ("true", "false"):
            words = [f"{words[0].partition('=')[0]}=true"]  # what follows is no value of it
    return words[0] if words else ""


def _is_switch(word: str, known: Vocabulary) -> bool:
    return isinstance(known.present.get(word.partition("=")[0]), bool)


def _did_you_mean(words: Sequence[str]) -> str:
    if not words:
        return ""
    meaning = " It names the folder of the run." * words[0].startswith("hydra.run.dir=")
    return f"Did you mean {' or '.join(map(shortened, words))}?{meaning}"


def select(cfg: DictConfig, key: str) -> Any:
    """A node by its dotted key; None if it is missing or a dangling reference."""
    try:
        return OmegaConf.select(cfg, key)
    except OmegaConfBaseException:
        return None
