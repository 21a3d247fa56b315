"""vae-eval: how good trained models are, in numbers that carry what they depend on."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from vae_cli.commands.entry import command
from vae_cli.commands.runs import runs_of, work_on_each
from vae_cli.config.request import Request
from vae_cli.launch.libraries import prepare_libraries
from vae_cli.run.current import CurrentCheckpoints
from vae_cli.run.folder import RunFolder

if TYPE_CHECKING:
    from rich.console import Console


@command("eval", runs_of)
def main(cfg: DictConfig, runs: list[str], request: Request) -> int:
    """Runs the command."""
    from vae_cli.console import make_console
    from vae_cli.evaluation.answer import GROUPS
    from vae_cli.report.measured import with_validation
    from vae_cli.terminal.comparable import print_comparison
    from vae_cli.terminal.summary import print_evaluation

    console, named = make_console(), request.listed(*GROUPS)
    records = work_on_each(
        runs,
        lambda path: _evaluation(path, cfg, named, console),
        lambda path, record: print_evaluation(record, RunFolder(path), console),
    )
    if len(records) > 1:
        ranked = [(path, with_validation(record, RunFolder(path))) for path, record in records]
        print_comparison(ranked, cfg.mixed, console)
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
    export = CurrentCheckpoints(RunFolder(path)).old_export()
    for note in (*notes, *([export] if export else [])):
        print_line(console, f"note: {note}")
    return answer.record if answer else evaluate(subject, cfg, named, console)
