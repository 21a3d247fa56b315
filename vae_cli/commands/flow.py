"""vae-flow: what flows of more and more maps can become, in one picture."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from vae_cli.commands.entry import command, prepare_libraries
from vae_cli.commands.parser import Parser
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of
from vae_cli.errors import ConfigError, TrainingError


@command("vae-flow")
def main(arguments: list[str]) -> int:
    """Runs the command."""
    own = Parser("flow").read(arguments)
    if own.help:
        print(help_of("flow"))
        return 0
    cfg, wanted = compose("flow", own.overrides, own.config_dir)
    _check(cfg, own.overrides)
    prepare_libraries()
    from vae_cli.console import make_console
    from vae_cli.evaluation.flow import FlowFits
    from vae_cli.run.files import new_folder
    from vae_cli.run.folder import describe
    from vae_cli.terminal.fits import print_fits

    fits, console = FlowFits(cfg), make_console()
    is_named = any(text.startswith("output=") for text in own.overrides)
    folder: Path = new_folder(wanted, is_named, "output")
    describe(folder, cfg, ["vae-flow", *arguments])
    try:
        results = fits.run(folder, cfg.format, console)
    except (TrainingError, OSError):  # the latter of a full disk
        shutil.rmtree(folder)  # it holds nothing but what was asked for
        raise
    print_fits(results, folder, console)
    return 0


def _check(cfg: DictConfig, overrides: Sequence[str]) -> None:
    """What the types of the keys do not say."""
    for key in ("energy", "lengths"):
        if not cfg.get(key):
            raise ConfigError(key, [], "needs at least one", "Leave it out for all that there are.")
    if "flow_length" not in cfg.posterior:
        name = cfg.posterior._target_.split(".")[-2]
        raise ConfigError("posterior", name, "is no flow", "Try posterior=planar.")
    for text in overrides:
        key, _, value = text.partition("=")
        if key == "hydra.run.dir":
            raise ConfigError(key, value, "output names the folder", f"Try output={value}.")
        if key == "posterior.flow_length":
            raise ConfigError(key, value, "lengths has the lengths", f"Try lengths=[{value}].")
