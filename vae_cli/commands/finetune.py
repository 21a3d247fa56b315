"""vae-finetune: what a trained encoder is worth to a classifier."""

from typing import Any

from omegaconf import OmegaConf

from vae_cli.commands.entry import command, prepare_libraries
from vae_cli.commands.parser import Parser
from vae_cli.commands.runs import parted, run_folders
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of
from vae_cli.errors import Resumable
from vae_cli.run.files import check_writable
from vae_cli.run.folder import COPY, RunFolder


@command("vae-finetune")
def main(arguments: list[str]) -> int:
    """Runs the command."""
    own = Parser("finetune").read(arguments)
    if own.help:
        print(help_of("finetune"))
        return 0
    named, others = parted(own.overrides)
    cfg, _ = compose("finetune", others, own.config_dir)
    OmegaConf.resolve(cfg)
    paths = run_folders(named, "vae-finetune")
    prepare_libraries()
    from vae_cli.config.memory import check_widths
    from vae_cli.console import make_console
    from vae_cli.evaluation.finetune import finetune
    from vae_cli.terminal.finetuned import print_finetuned, print_several

    check_widths("hidden_dims", cfg.hidden_dims)
    for path in paths:
        folder = RunFolder.existing(path, key="run")  # all, before the first is worked on
        check_writable("run", folder.path, COPY)
    console = make_console()
    records: list[tuple[str, dict[str, Any]]] = []
    for path in paths:
        try:
            record = finetune(path, cfg, console)
        except KeyboardInterrupt as stop:
            if not records:
                raise
            raise Resumable from stop
        records.append((path, record))
        print_finetuned(record, RunFolder(path), console)
    if len(records) > 1:
        print_several(records, console)
    return 0
