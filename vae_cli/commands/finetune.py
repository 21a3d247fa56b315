"""vae-finetune: how much a trained encoder helps a classifier."""

from omegaconf import DictConfig

from vae_cli.commands.entry import command
from vae_cli.commands.runs import runs_of, work_on_each
from vae_cli.config.request import Request
from vae_cli.launch.libraries import prepare_libraries
from vae_cli.run.folder import RunFolder


@command("finetune", runs_of)
def main(cfg: DictConfig, runs: list[str], request: Request) -> int:
    """Runs the command."""
    prepare_libraries()
    from vae_cli.config.memory import check_widths
    from vae_cli.console import make_console
    from vae_cli.evaluation.finetune import finetune
    from vae_cli.terminal.finetuned import print_finetuned, print_several

    check_widths("hidden_dims", cfg.hidden_dims)
    console = make_console()
    records = work_on_each(
        runs,
        lambda path: finetune(path, cfg, console),
        lambda path, record: print_finetuned(record, RunFolder(path), console),
    )
    if len(records) > 1:
        print_several(records, console)
    return 0
