"""vae-export: a trained model as files that run without this package."""

from importlib.util import find_spec

from omegaconf import OmegaConf

from vae_cli.commands.entry import Parser, command, prepare_libraries
from vae_cli.commands.runs import parted, run_folders
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.training.signals import Signals

NEEDED = {"torch_export": ("safetensors",), "onnx": ("safetensors", "onnx", "onnxscript")}


@command("vae-export")
def main(arguments: list[str]) -> int:
    """Runs the command."""
    own = Parser().parse_intermixed_args(arguments)
    if own.help:
        print(help_of("export"))
        return 0
    named, others = parted(own.overrides)
    cfg, _ = compose("export", others, own.config_dir)
    OmegaConf.resolve(cfg)
    formats = [cfg.format] if isinstance(cfg.format, str) else list(cfg.format)
    if not formats:
        raise ConfigError("format", [], "there is nothing to write", "Leave it out.")
    path, *more = run_folders(named, "vae-export")
    if more:
        raise ConfigError("run", [path, *more], "needs one folder", "Export them one by one.")
    for each in formats:
        check_installed(each)
    prepare_libraries()
    from vae_cli.console import printable
    from vae_cli.run.export import export

    with Signals():  # SIGTERM, too, is an interruption, after which nothing half-written is left
        print(printable(export(path, formats, cfg.to, cfg.checkpoint, cfg.trust)))
    return 0


def check_installed(wanted: str) -> None:
    """Checks that a format can be written here.

    Raises:
        VaeCliError: If a package is missing.
    """
    missing = [name for name in NEEDED[wanted] if find_spec(name) is None]
    if missing:
        raise VaeCliError(
            f"format={wanted}: needs {' and '.join(missing)}. Try pip install 'vae-cli[export]'."
        )
