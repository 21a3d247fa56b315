"""vae-finetune: what a trained encoder is worth to a classifier."""

from collections.abc import Sequence

from omegaconf import OmegaConf

from vae_cli.commands.entry import Parser, prepare_libraries, run_command
from vae_cli.commands.runs import parted, run_folders
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of
from vae_cli.run.files import check_writable
from vae_cli.run.folder import COPY, RunFolder


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the installed script's entry.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        The exit code: 0, 2 after one line about a mistake, 130 after an interruption.
    """
    return run_command("vae-finetune", _main, argv)


def _main(arguments: list[str]) -> int:
    own = Parser().parse_intermixed_args(arguments)
    if own.help:
        print(help_of("finetune"))
        return 0
    named, others = parted(own.overrides)
    cfg, _ = compose("finetune", others, own.config_dir)
    OmegaConf.resolve(cfg)
    paths = run_folders(named, "vae-finetune")
    prepare_libraries()
    from vae_cli.console import make_console
    from vae_cli.run.finetune import finetune
    from vae_cli.run.finetuned import print_finetuned, print_several

    for path in paths:
        folder = RunFolder.existing(path, key="run")  # all, before the first is worked on
        check_writable("run", folder.path, COPY)
    console, records = make_console(), []
    for path in paths:
        record = finetune(path, cfg, console)
        records.append((path, record))
        print_finetuned(record, RunFolder(path), console)
    if len(records) > 1:
        print_several(records, console)
    return 0
