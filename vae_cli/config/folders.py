"""Where configurations are found: the package's own folder and those of the user."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import vae_cli.conf
from vae_cli.errors import ConfigError

OWN_FOLDERS = "VAE_CLI_CONF"  # environment variable: the user's own configurations


def built_in_folder() -> Path:
    """Where the configurations of this package are."""
    return Path(vae_cli.conf.__path__[0]).resolve()


def search_path(config_dir: str | None) -> list[Path]:
    """Folders of the user's own yamls: ``--config-dir``, ``$VAE_CLI_CONF`` and ``./conf``.

    Raises:
        ConfigError: If ``--config-dir`` is missing, or a yaml has a built-in one's name but says
            something else: the built-in one would win, silently.
    """
    named = [Path(config_dir)] if config_dir else []
    if named and not named[0].is_dir():
        raise ConfigError("--config-dir", config_dir, "there is no such folder")
    named += [Path(p) for p in os.environ.get(OWN_FOLDERS, "").split(os.pathsep) if p]
    folders = [f.resolve() for f in [*named, Path("conf")] if f.is_dir()]
    built_in = built_in_folder()
    for folder in folders:
        for ours in built_in.rglob("*.yaml"):
            theirs = folder / ours.relative_to(built_in)
            if theirs.is_file() and theirs.read_bytes() != ours.read_bytes():
                name = ours.relative_to(built_in).with_suffix("")
                rule = f"a built-in configuration is called {name} too, and would win"
                raise ConfigError("configuration", theirs, rule, "Give yours another name.")
    return [folder for folder in folders if folder != built_in]


def search_path_override(folders: Sequence[Path]) -> list[str]:
    """The override by which Hydra is told of the user's folders."""
    quoted = [f"'file://{folder}'" for folder in folders]  # a comma would part it
    return [f"hydra.searchpath=[{','.join(quoted)}]"] if folders else []


def options_by_group(folders: Iterable[Path]) -> dict[str, list[str]]:
    """The options of every group that the folders' yamls make up."""
    groups: dict[str, list[str]] = {}
    for folder in folders:
        for file in sorted(folder.rglob("*.yaml")):
            group = file.parent.relative_to(folder).as_posix()
            if group != ".":
                groups.setdefault(group, []).append(file.stem)
    return groups
