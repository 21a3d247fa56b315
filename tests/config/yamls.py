"""The yamls that ship."""

import re
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vae_cli import conf

ROOT = Path(conf.__path__[0]).resolve()
YAMLS = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.yaml"))
IDS = [path.with_suffix("").as_posix() for path in YAMLS]
# Groups with nothing of ours.
BORROWED = ("optimizer", "trainer", "logger", "accelerator", "experiment", "launcher")
TRY = re.compile(r"Try: (.+)")


def group_of(path: Path) -> str:
    """The first folder: empty for a primary file."""
    return path.parts[0] if len(path.parts) > 1 else ""


def commands(path: Path) -> list[list[str]]:
    """The commands that the opening comment says to try."""
    lines = []
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines += TRY.findall(line)
    return [line.split() for line in lines]


def targets(node: Any) -> list[DictConfig]:
    """All nodes with a ``_target_``, the node itself included."""
    if not isinstance(node, DictConfig):
        return []
    own = [node] if "_target_" in node else []
    return own + [t for name in node for t in targets(node._get_node(name))]


def all_targets() -> list[str]:
    """Every ``_target_`` there is, once."""
    found = {t._target_ for path in YAMLS for t in targets(OmegaConf.load(ROOT / path))}
    return sorted(found)
