"""vae-eval: how good trained models are, in numbers that carry what they depend on."""

import glob
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from vae_cli.commands.entry import Parser, prepare_libraries, run_command
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.run.folder import RunFolder


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
    named = [text.partition("=")[2] for text in own.overrides if text.startswith("run=")]
    others = [text for text in own.overrides if not text.startswith("run=")]
    cfg, _ = compose("eval", others, own.config_dir)
    OmegaConf.resolve(cfg)
    paths = [path for value in named for path in _run_folders(value)]
    if not paths:
        raise VaeCliError("run: needs the folder of a run. Try vae-eval run=outputs/...")
    prepare_libraries()
    from vae_cli.run.evaluate import evaluate
    from vae_cli.run.subject import load_subject
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
    value = value.strip("'\"")
    found: dict[Path, str] = {}
    for part in [value] if Path(value).exists() else filter(None, value.strip("[]").split(",")):
        paths = [part]
        if glob.has_magic(part) and not Path(part).exists():
            matches = sorted(glob.glob(part))  # noqa: PTH207  the pattern may be absolute
            paths = [match for match in matches if RunFolder(match).overrides.is_file()]
            if not paths:
                rule = "no folder of a run matches the pattern"
                raise ConfigError("run", part, rule, "Try run='outputs/*/*'.")
        found |= {Path(path).resolve(): path for path in paths}
    return list(found.values())
