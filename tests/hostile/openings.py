"""Every way in which a run's folder is opened, each as short as it gets."""

import importlib
import os
import sys
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import vae_cli
from vae_cli.config import compose as composing

MEASURED = ["samples=2", "analysis=[]", "metric=[active_units]", "device=cpu"]
NEW = ["model=m1_m2", "data.labels=50", "network.hidden_dims=[4]", "trainer.max_steps=1",
       "trainer.progress=false", "accelerator=cpu", "logger=none", "metric=[active_units]",
       "figure=[]", "hydra.run.dir=out/new"]  # fmt: skip


DRAWN = ["what=reconstructions", "format=npz", "device=cpu", "output=out/drawn"]
MODEL = {"eval", "sample", "stacked", "finetune", "export", "load"}  # read the best checkpoint
IMAGES = {"eval", "sample", "stacked", "finetune"}  # build the data, too
OPENED = MODEL | {"stage"}  # build what a finished configuration says
BUILT = OPENED | {"resume"}  # whose record may hold what no key of today takes up
TABLES = {"compare", "csv", "markdown", "latex"}
ALL = BUILT | TABLES | {"report"}


COSTLY = {"resume", "stage", "stacked", "export"}  # each takes as long as ten of the others


def command(name: str, *arguments: str) -> int:
    """A command in this process."""
    os.environ.pop("VAE_CLI_RUN_FOLDER", None)  # as in a process that has just begun
    code: int = importlib.import_module(f"vae_cli.commands.{name}").main([*arguments])
    return code


def openings(run: str, good: str) -> dict[str, Callable[[], object]]:
    """The ways to open a run, by name.

    Args:
        run: The folder.
        good: That of another run, which is as it should be.
    """
    table = partial(command, "compare", run)
    return {
        "eval": partial(command, "eval", f"run={run}", *MEASURED),
        "sample": partial(command, "sample", f"run={run}", *DRAWN),
        "stacked": partial(command, "sample", f"run={good},{run}", *DRAWN),
        "finetune": partial(
            command, "finetune", f"run={run}", "labels=10", "steps=1", "device=cpu"
        ),
        "export": partial(
            command, "export", f"run={run}", "format=torch_export", "output=out/exported"
        ),
        "load": lambda: vae_cli.load(run),
        "resume": partial(command, "train", f"resume={run}", "trainer.max_steps=3"),
        "stage": partial(command, "train", *NEW, f"model.m1={run}"),
        "report": partial(command, "report", f"run={run}", "output=out/page.html"),
        "compare": table,
        "csv": partial(table, "format=csv"),
        "markdown": partial(table, "format=markdown"),
        "latex": partial(table, "format=latex"),
    }


def compose_once(patch: Any) -> None:
    """Has each command line composed once: what commands compose of their own is always the same.

    Args:
        patch: pytest's.
    """
    compose, known = composing.compose, dict[str, Any]()

    @wraps(compose)
    def remembered(*arguments: Any, **named: Any) -> Any:
        key = repr((arguments, named))
        if key not in known:
            known[key] = compose(*arguments, **named)
        config, *others = known[key]
        return (config.copy(), *others)

    modules = [m for name, m in sys.modules.items() if name.startswith("vae_cli.")]
    for module in modules:
        if getattr(module, "compose", None) is compose and module is not composing:
            patch.setattr(module, "compose", remembered)
