"""vae-eval: how good trained models are, in numbers that carry what they depend on."""

import glob
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from vae_cli.commands.entry import Parser, prepare_libraries, run_command
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of
from vae_cli.errors import ConfigError, VaeCliError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the installed script's entry.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        The exit code: 0, 2 after one line about a mistake, 130 after an interruption.
    """
    return run_command("vae-eval", _main, argv)


def _main(arguments: list[str]) -> int:
    own = Parser().parse_intermixed_args(arguments)
    if own.help:
        print(help_of("eval"))
        return 0
    named = [text for text in own.overrides if text.startswith("run=")]
    others = [text for text in own.overrides if text not in named]
    cfg, _ = compose("eval", others, own.config_dir)
    OmegaConf.resolve(cfg)
    paths = _run_folders(named[-1].partition("=")[2] if named else "")
    prepare_libraries()
    from vae_cli.run.evaluate import evaluate, load_subject
    from vae_cli.run.folder import RunFolder
    from vae_cli.run.summary import print_comparison, print_evaluation
    from vae_cli.training.progress import make_console

    for path in paths:
        RunFolder.existing(path, key="run")  # all of them, before hours of work on the first
    console, records = make_console(), []
    for path in paths:
        subject = load_subject(path, cfg)
        record = evaluate(subject, cfg, console)
        records.append((path, record))
        print_evaluation(record, subject.folder, console)
    if len(records) > 1:
        print_comparison(records, cfg.mixed, console)
    return 0


def _run_folders(value: str) -> list[str]:
    """The folders that ``run=`` names: parted by commas, patterns filled in, each once."""
    paths: dict[str, None] = {}
    for part in filter(None, value.strip("[]").split(",")):
        is_pattern = glob.has_magic(part) and not Path(part).exists()
        found = sorted(glob.glob(part)) if is_pattern else [part]  # noqa: PTH207  may be absolute
        if not found:
            raise ConfigError("run", part, "no folder matches the pattern")
        paths |= dict.fromkeys(found)
    if not paths:
        raise VaeCliError("run: needs the folder of a run. Try vae-eval run=outputs/...")
    return list(paths)
