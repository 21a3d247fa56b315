"""vae-export: a trained model as files that run without this package."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from omegaconf import DictConfig

from vae_cli.commands.entry import command
from vae_cli.commands.runs import runs_of
from vae_cli.config.request import Request
from vae_cli.errors import ConfigError, VaeCliError, install
from vae_cli.launch.libraries import prepare_libraries

NEEDED = {"torch_export": ("safetensors",), "onnx": ("safetensors", "onnx", "onnxscript")}


@command("export", runs_of)
def main(cfg: DictConfig, runs: list[str], request: Request) -> int:
    """Runs the command."""
    formats = [cfg.format] if isinstance(cfg.format, str) else list(cfg.format)
    if not formats:
        raise ConfigError("format", [], "there is nothing to write", "Leave it out.")
    if len(runs) > 1 and cfg.output is not None:
        rule = f"is one folder for {len(runs)} runs"
        raise ConfigError("output", cfg.output, rule, "Leave it out: each run has its own.")
    for each in formats:
        check_format(each)
    prepare_libraries()
    from vae_cli.console import printable
    from vae_cli.export.export import export

    with _interrupted_by_sigterm():
        for path in runs:
            print(printable(export(path, formats, cfg.output, cfg.checkpoint, cfg.trust)))
    return 0


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Makes SIGTERM interrupt like Ctrl-C, so that no half-written export is left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_format(wanted: str) -> None:
    """Checks that a format can be written here."""
    missing = [name for name in NEEDED[wanted] if find_spec(name) is None]
    if missing:
        rule = f"needs {' and '.join(missing)}"
        raise VaeCliError(f"format={wanted}: {rule}. {install('export')}.")
