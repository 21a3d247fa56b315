"""Where configurations are found: the package's own folder and those of the user."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import yaml
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

import vae_cli.conf
from vae_cli.config.grammar import quoted
from vae_cli.config.local_folder import MARKED, unmarked_folder
from vae_cli.config.yamls import built_in
from vae_cli.errors import ConfigError, Notice

SIDES, NETWORK = ("encoder", "decoder"), "network"  # both sides have the options of a network
OWN_FOLDERS = "VAE_CLI_CONF"  # environment variable: the user's own configurations
LARGEST = 100_000  # values of a yaml


def built_in_folder() -> Path:
    """Where the configurations of this package are."""
    return Path(vae_cli.conf.__path__[0]).resolve()


def folder_of(group: str) -> str:
    """The folder that holds the yamls of a group."""
    return NETWORK if group in SIDES else group


def search_path(config_dir: str | None) -> list[Path]:
    """Folders of the user's own yamls: those that are named, and ``./conf`` if it is no other's.

    Raises:
        ConfigError: If ``--config-dir`` is missing.
    """
    named = named_folders(config_dir)
    unmarked = unmarked_folder(
        {*SIDES, *(f.name for f in built_in_folder().iterdir() if f.is_dir())}
    )
    local = [unmarked.resolve()] if unmarked is not None else []
    return [*named, *(f for f in local if f not in (*named, built_in_folder()))]


def named_folders(config_dir: str | None) -> list[Path]:
    """Folders that are the user's beyond doubt.

    They are ``--config-dir``, those of ``$VAE_CLI_CONF``, and ``./conf/vae_cli``.

    Raises:
        ConfigError: If ``--config-dir`` is missing.
    """
    named = [Path(config_dir)] if config_dir else []
    if named and not is_folder(named[0]):
        raise ConfigError("--config-dir", config_dir, "there is no such folder")
    named += [Path(p) for p in os.environ.get(OWN_FOLDERS, "").split(os.pathsep) if p]
    folders = [f.resolve() for f in [*named, MARKED] if f.is_dir()]
    return [folder for folder in folders if folder != built_in_folder()]


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; of a name that no file system takes, there is not."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def check_clashes(folders: Iterable[Path], choices: Mapping[str, str]) -> None:
    """Checks that no option in use is defined by the package and by the user both.

    Args:
        folders: The user's.
        choices: The option in use of each group.

    Raises:
        ConfigError: If one is, and differently: the built-in one would win, silently.
    """
    for group, name in choices.items():
        file = Path(folder_of(group), f"{name}.yaml")
        ours = built_in_folder() / file
        for theirs in (folder / file for folder in folders):
            both = ours.is_file() and theirs.is_file()
            if both and theirs.read_bytes() != ours.read_bytes():
                rule = f"there is a built-in {group}={name} too, which takes precedence"
                raise ConfigError("configuration", theirs, rule, "Give yours another name.")


def say_what_is_read(
    folders: Iterable[Path], unmarked: Iterable[Path], choices: Mapping[str, Sequence[str]]
) -> None:
    """Says in one line which yamls of the user's are in use, and in another which give way.

    Args:
        folders: The user's.
        unmarked: Those among them that nobody has named: a built-in option replaces theirs.
        choices: The options in use of each group.
    """
    names = [f"{folder_of(g)}/{name}.yaml" for g, chosen in choices.items() for name in chosen]
    found = {name: _first_with(name, [built_in_folder(), *folders]) for name in names}
    own = [_shown(f / name) for name, f in found.items() if f not in (None, built_in_folder())]
    if own:
        warnings.warn(f"read {', '.join(own)}", Notice, stacklevel=2)
    for folder, name in ((folder, name) for folder in unmarked for name in names):
        if found[name] == built_in_folder() and (folder / name).is_file():
            rule = f"{_shown(folder / name)} is not read: there is a built-in {name}"
            warnings.warn(f"{rule}. Give yours another name.", Notice, stacklevel=2)


def _first_with(name: str, folders: Sequence[Path]) -> Path | None:
    return next((folder for folder in folders if (folder / name).is_file()), None)


def _shown(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def check_expansion(folders: Iterable[Path]) -> None:
    """Checks that no yaml of the user's is enormous once its aliases (``*name``) are filled in.

    A few lines of aliases to lists of aliases make up billions of values, which no memory holds.
    """
    for file in (file for folder in folders for file in sorted(folder.rglob("*.yaml"))):
        with suppress(YAMLError, OSError, ValueError, RecursionError):  # Hydra tells, if it is used
            tree = yaml.compose(file.read_bytes(), Loader=yaml.SafeLoader)
            if _size(tree, {}) > LARGEST:
                rule = f"it expands to more than {LARGEST} values"
                raise ConfigError("configuration", file, rule, "Refer to less with *.")


def _size(node: yaml.Node | None, known: dict[int, int]) -> int:
    """Values of a yaml's node; of what several refer to, each counts anew."""
    if id(node) not in known:
        known[id(node)] = 1  # of one within itself
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        each = [part for pair in parts for part in (pair if isinstance(pair, tuple) else [pair])]
        known[id(node)] = 1 + sum(_size(part, known) for part in each)
    return known[id(node)]


def search_path_override(folders: Sequence[Path]) -> list[str]:
    """The override that gives Hydra the user's folders.

    A yaml of a network serves as one of an encoder and of a decoder, too: Hydra gets them from its
    store, since no folder has their groups' names.
    """
    store = ConfigStore.instance()
    for side in SIDES:
        store.repo.pop(side, None)
    for folder in [*reversed(folders), built_in_folder()]:  # the last one of a name counts
        for file in (folder / NETWORK).glob("*.yaml"):
            with suppress(YAMLError, OSError, ValueError, RecursionError):  # Hydra finds none
                is_own = folder == built_in_folder()
                content = built_in(file) if is_own else OmegaConf.load(file)
                for side in SIDES:
                    store.store(file.stem, content, group=side)
    places = ",".join(quoted(f"file://{folder}") for folder in folders)
    return [f"hydra.searchpath=[{places}]"] if folders else []


@cache
def default_options(config_name: str) -> dict[str, list[str]]:
    """What a built-in primary file takes of each of its groups; nothing of another's file."""
    file = built_in_folder() / f"{config_name}.yaml"
    found: dict[str, list[str]] = {}
    content = OmegaConf.load(file) if file.is_file() else None
    for item in content.get("defaults", ()) if isinstance(content, DictConfig) else ():
        for group, options in item.items() if isinstance(item, DictConfig) else ():
            found[str(group)] = [options] if isinstance(options, str) else list(options or [])
    return found


def groups_of(config_name: str, folders: Iterable[Path]) -> dict[str, list[str]]:
    """The options of every group that a command with this primary file has."""
    groups, chosen = _options_by_group([built_in_folder(), *folders]), default_options(config_name)
    is_foreign = not (built_in_folder() / f"{config_name}.yaml").is_file()
    return {g: o for g, o in groups.items() if is_foreign or g.partition("/")[0] in chosen}


def _options_by_group(folders: Iterable[Path]) -> dict[str, list[str]]:
    """The options of every group that the folders' yamls make up."""
    groups: dict[str, list[str]] = {}
    for folder in folders:
        for file in sorted(folder.rglob("*.yaml")):
            group = file.parent.relative_to(folder).as_posix()
            if group != ".":
                groups.setdefault(group, []).append(file.stem)
    return groups | {side: groups[NETWORK] for side in SIDES}
