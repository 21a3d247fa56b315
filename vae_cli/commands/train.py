"""vae-train: from one command line to a trained, measured variational autoencoder."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from vae_cli.commands.entry import Parser, prepare_libraries, run_command
from vae_cli.config.compose import check_alone, check_sweep, compose
from vae_cli.config.folders import search_path, search_path_override
from vae_cli.config.help import help_of
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.run.folder import SHARED_FOLDER, RunFolder

if TYPE_CHECKING:
    from vae_cli.config.build import Experiment


INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")  # as Hydra has it


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the installed script's entry.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        The exit code: 0, 2 after one line about a mistake, 130 after an interruption.
    """
    return run_command("vae-train", _main, argv)


def _main(arguments: list[str]) -> int:
    parser = Parser()
    parser.add_argument("--config-name", "-cn", default="train")
    hydras = [parser.add_argument("--multirun", "-m", action="store_true")]
    hydras += [parser.add_argument("--resolve", action="store_true")]
    hydras += [parser.add_argument("--hydra-help", action="store_true")]
    hydras += [parser.add_argument("--cfg", "-c", choices=["job", "hydra", "all"])]
    hydras += [parser.add_argument("--package", "-p")]
    hydras += [parser.add_argument("--info", "-i", nargs="?", const="all", choices=INFO)]
    hydras += [parser.add_argument("--shell-completion", "-sc", action="store_true")]
    own = parser.parse_intermixed_args(arguments)
    if own.help:
        print(help_of("train"))
        return 0
    if (own.package or own.resolve) and not own.cfg:
        raise VaeCliError("--package and --resolve: go with --cfg. Try --cfg job.")
    if any(getattr(own, action.dest) for action in hydras):
        if any(text.startswith("resume=") for text in own.overrides):
            raise VaeCliError("resume: goes on with one run. Leave out the flags.")
        check_sweep(own.config_name, own.overrides, own.config_dir)
        flags = [text for text in arguments if text not in own.overrides]
        return _hydra_main([*flags, *own.overrides], own.config_dir)
    return _run(own.config_name, own.overrides, own.config_dir, ["vae-train", *arguments])


def _run(config_name: str, overrides: list[str], config_dir: str | None, command: list[str]) -> int:
    """One run: everything that can be wrong is found out before its folder is made."""
    chosen = [text for text in overrides if not text.startswith("resume=")]
    resumed = [text.partition("=")[2] for text in overrides if text not in chosen]
    folder = None
    if resumed and resumed[-1] not in ("", "null"):
        folder = RunFolder.existing(resumed[-1])
        chosen = _last_of_each([*folder.saved_overrides(), *chosen])
    cfg, run_dir = compose(config_name, chosen, config_dir)
    experiment = _build(cfg)
    if folder is None:
        shared = os.environ.get(SHARED_FOLDER)
        is_named = any(text.startswith("hydra.run.dir=") for text in chosen)
        folder = RunFolder(shared) if shared else RunFolder.create(run_dir, is_named)
    _execute(experiment, folder, chosen, command)
    return 0


def _execute(
    experiment: "Experiment", folder: RunFolder, overrides: Sequence[str], command: Sequence[str]
) -> None:
    from vae_cli.run.checkpoint import check_fits
    from vae_cli.run.summary import print_summary
    from vae_cli.run.train import is_finished, train
    from vae_cli.training.progress import make_console

    if folder.last.is_file():
        check_fits(experiment.model, folder.last)
    elif folder.overrides.is_file():
        print(f"{folder.path} has no checkpoint yet: starting anew.")
    if is_finished(experiment, folder):
        print(f"{folder.path} has finished. Raise trainer.max_epochs or max_steps to go on.")
        return
    is_first = SHARED_FOLDER not in os.environ
    if is_first:
        folder.describe(experiment.config, overrides, command)
    console = make_console(quiet=not is_first)
    results = train(experiment, folder, command, console)
    print_summary(results, folder, console)


def _hydra_main(arguments: list[str], config_dir: str | None) -> int:
    """What Hydra itself does: help, showing a configuration, and many runs."""
    failures: list[str] = []

    def job(cfg: DictConfig) -> None:
        folder = RunFolder(HydraConfig.get().runtime.output_dir)
        try:
            _sweep_job(cfg, folder)
        except Exception as error:  # the other jobs go on; this one's folder tells why it did not
            failures.append(str(folder.path))
            (folder.path / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
            print(f"vae-train: {folder.path}: {error}", file=sys.stderr)

    sys.argv = ["vae-train", *arguments, *search_path_override(search_path(config_dir))]
    try:
        hydra.main(version_base="1.3", config_path="pkg://vae_cli.conf", config_name="train")(job)()
    except SystemExit as stop:  # after a line of Hydra's own, as about --package
        return VaeCliError.exit_code if stop.code else 0
    return VaeCliError.exit_code if failures else 0


def _sweep_job(cfg: DictConfig, folder: RunFolder) -> None:
    overrides = list(HydraConfig.get().overrides.task)
    check_alone(cfg)
    if cfg.accelerator.nodes != 1 or cfg.accelerator.devices not in (1, [0]):
        rule = "a sweep's jobs run in one process each"
        remedy = "Start runs over several devices one by one."
        raise ConfigError("accelerator.devices", cfg.accelerator.devices, rule, remedy)
    experiment = _build(cfg)
    folder.prepare()
    _execute(experiment, folder, overrides, ["vae-train", *overrides])


def _build(cfg: DictConfig) -> "Experiment":
    prepare_libraries()
    from vae_cli.config.build import build  # torch and all: not before it is needed

    return build(cfg)


def _last_of_each(overrides: Sequence[str]) -> list[str]:
    """Of several overrides of one key the last, which wins."""
    return list({text.partition("=")[0]: text for text in overrides}.values())
