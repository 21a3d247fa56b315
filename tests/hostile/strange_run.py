"""A run folder whose files a stranger can change in any way."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from vae_cli.training.checkpoint_file import write_sealed

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
YAMLS = ("config.yaml", "composed.yaml")
CHECKPOINTS = ("best.ckpt", "last.ckpt")
Change = Callable[[dict[str, Any]], object]


class StrangeRun:
    """A copy of a good run, to be spoiled.

    Attributes:
        path: Of the folder.
        outside: A folder that the run must neither change nor read.
    """

    def __init__(self, path: Path, outside: Path) -> None:
        self.path, self.outside = path, outside

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def first_stage(self) -> "StrangeRun":
        """The run that lies within one of two stages."""
        return StrangeRun(self.path / "m1", self.outside)

    def everywhere(self, change: Change) -> None:
        """Changes the configuration in every file that has it."""
        self.yamls(change)
        self.checkpoint_config(change)

    def yamls(self, change: Change, names: Sequence[str] = YAMLS) -> None:
        """Changes the configuration in yaml files."""
        for name in names:
            config = load((self.path / name).read_text())
            change(config)
            (self.path / name).write_text(dump(config))

    def checkpoint_config(self, change: Change) -> None:
        """Changes the configuration in the checkpoints, whose seals are right."""

        def changed(checkpoint: dict[str, Any]) -> None:
            config = load(checkpoint["config"])
            change(config)
            checkpoint["config"] = dump(config)

        self.checkpoint(changed)

    def config_text(self, change: Callable[[str], str]) -> None:
        """Changes the text of the configuration, yaml or not, in every file that has it."""
        for name in YAMLS:
            (self.path / name).write_text(change((self.path / name).read_text()))
        self.checkpoint(lambda state: state.update(config=change(state["config"])))

    def checkpoint(self, change: Change, names: Sequence[str] = CHECKPOINTS) -> None:
        """Changes what the checkpoints hold."""
        for name in names:
            path = self.path / "checkpoints" / name
            state = torch.load(path, weights_only=True)
            change(state)
            seal(state, path)

    def overrides(self, *texts: Any) -> None:
        """Adds to what the run's user chose."""
        saved = load((self.path / "overrides.yaml").read_text())
        (self.path / "overrides.yaml").write_text(dump([*saved, *texts]))

    def json(self, name: str, change: Change) -> None:
        """Changes a JSON file."""
        content = json.loads((self.path / name).read_text())
        change(content)
        (self.path / name).write_text(json.dumps(content))

    def write(self, name: str, content: str | bytes) -> None:
        """Puts a file in the place of whatever was there."""
        path = self.cleared(name)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def append(self, name: str, content: str) -> None:
        """Adds to the end of a text file."""
        with (self.path / name).open("a", encoding="utf-8") as file:
            file.write(content)

    def link(self, name: str, target: str | Path) -> None:
        """Puts a symbolic link in the place of whatever was there."""
        self.cleared(name).symlink_to(target)

    def fifo(self, name: str) -> None:
        """Puts a pipe in the place of whatever was there: to open it is to wait for ever."""
        os.mkfifo(self.cleared(name))

    def folder(self, name: str) -> Path:
        """Puts a folder in the place of whatever was there."""
        path = self.cleared(name)
        path.mkdir()
        return path

    def cleared(self, name: str) -> Path:
        """A path at which nothing is any more."""
        path = self.path / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class Evil:
    """What a pickle of it makes when it is read: a folder."""

    def __reduce__(self) -> object:
        return os.mkdir, ("hit",)


def seal(state: Any, path: Path) -> None:
    """Writes a checkpoint as the package does, with the digest that makes it whole."""
    with path.open("w+b") as file:
        write_sealed(state, file)


def dump(content: Any) -> str:
    """A yaml in the order of the keys, in ASCII."""
    return str(yaml.dump(content, Dumper=DUMPER, sort_keys=False, width=10**6))


def load(text: str) -> Any:
    """What a yaml holds."""
    return yaml.load(text, LOADER)


def put(key: str, value: Any) -> Change:
    """A change that sets a dotted key, and makes the nodes above it."""

    def change(config: dict[str, Any]) -> None:
        *above, last = key.split(".")
        node: Any = config
        for name in above:
            if not isinstance(node.get(name), dict):
                node[name] = {}
            node = node[name]
        node[last] = value

    return change


def drop(key: str) -> Change:
    """A change that deletes a dotted key."""

    def change(config: dict[str, Any]) -> None:
        *above, last = key.split(".")
        node: Any = config
        for name in above:
            node = node[name]
        node.pop(last, None)

    return change
