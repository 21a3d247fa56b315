"""vae-flow: the densities that flows of more and more maps can fit, in one picture."""

import shutil
from pathlib import Path

from omegaconf import DictConfig

from vae_cli.commands.entry import command
from vae_cli.config.request import Request
from vae_cli.errors import ConfigError, TrainingError
from vae_cli.launch.libraries import prepare_libraries


@command("flow")
def main(cfg: DictConfig, runs: list[str], request: Request) -> int:
    """Runs the command."""
    _check(cfg, request)
    prepare_libraries()
    from vae_cli.console import make_console
    from vae_cli.evaluation.flow import FlowFits
    from vae_cli.run.files import new_folder
    from vae_cli.run.folder import describe
    from vae_cli.terminal.fits import print_fits

    fits, console = FlowFits(cfg), make_console()
    folder: Path = new_folder(cfg.output, request.names("output"), "output")
    describe(folder, cfg, ["vae-flow", *request.arguments])
    try:
        results = fits.run(folder, cfg.format, console)
    except (TrainingError, OSError):  # the latter of a full disk
        shutil.rmtree(folder)  # it holds nothing but what was asked for
        raise
    print_fits(results, folder, console)
    return 0


def _check(cfg: DictConfig, request: Request) -> None:
    """Checks what the types of the keys leave open."""
    for key in ("energy", "lengths"):
        if not cfg.get(key):
            raise ConfigError(key, [], "needs at least one", "Leave it out to use all.")
    if "flow_length" not in cfg.posterior:
        name = cfg.posterior._target_.split(".")[-2]
        raise ConfigError("posterior", name, "is not a flow", "Try posterior=planar.")
    if (folder := request.value("hydra.run.dir")) is not None:
        rule = "is not a key of vae-flow"
        raise ConfigError("hydra.run.dir", folder, rule, f"Try output={folder}.")
    if (length := request.value("posterior.flow_length")) is not None:
        rule = "vae-flow fits several lengths"
        raise ConfigError("posterior.flow_length", length, rule, f"Try lengths=[{length}].")
