"""vae-eval: how good trained models are, in numbers that carry what they depend on."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from vae_cli.commands.entry import command, prepare_libraries
from vae_cli.commands.parser import Parser
from vae_cli.commands.runs import parted, run_folders
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of
from vae_cli.errors import Resumable
from vae_cli.run.files import check_writable
from vae_cli.run.folder import COPY, RunFolder

if TYPE_CHECKING:
    from rich.console import Console


@command("vae-eval")
def main(arguments: list[str]) -> int:
    """Runs the command."""
    own = Parser("eval").read(arguments)
    if own.help:
        print(help_of("eval"))
        return 0
    given, others = parted(own.overrides)
    cfg, _ = compose("eval", others, own.config_dir)
    OmegaConf.resolve(cfg)
    paths = run_folders(given, "vae-eval")
    from vae_cli.console import make_console
    from vae_cli.evaluation.answer import named_in
    from vae_cli.terminal.comparable import print_comparison
    from vae_cli.terminal.summary import print_evaluation

    for path in paths:
        folder = RunFolder.existing(path, key="run")  # all, before hours of work on the first
        check_writable("run", folder.path, COPY)
    console, named = make_console(), named_in(others, cfg)
    records: list[tuple[str, dict[str, Any]]] = []
    for path in paths:
        try:
            record = _evaluation(path, cfg, named, console)
        except KeyboardInterrupt as stop:
            if not records:
                raise
            raise Resumable from stop
        records.append((path, record))
        print_evaluation(record, RunFolder(path), console)
    if len(records) > 1:
        print_comparison(records, cfg.mixed, console)
    return 0


def _evaluation(
    path: str, cfg: DictConfig, named: Collection[str], console: "Console"
) -> dict[str, Any]:
    """The numbers of a run: stored ones, without torch, or new ones."""
    from vae_cli.console import print_line
    from vae_cli.evaluation.answer import stored_answer

    answer = stored_answer(path, cfg, named)
    notes = answer.notes if answer else []
    if answer is None:
        prepare_libraries()
        from vae_cli.evaluation.evaluate import evaluate
        from vae_cli.run.subject import load_subject

        subject = load_subject(path, cfg)
        notes = [*subject.notes]
    for note in notes:
        print_line(console, f"note: {note}")
    return answer.record if answer else evaluate(subject, cfg, named, console)
