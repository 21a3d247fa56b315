"""What a run says at its end, and what an evaluation says of one run or several."""

import shlex
from collections.abc import Iterable, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from vae_cli.console import print_line, print_note, printable
from vae_cli.run.current import CurrentCheckpoints, old_pictures
from vae_cli.run.declared import with_declared
from vae_cli.run.folder import RunFolder
from vae_cli.run.png import checkpoint_of_png
from vae_cli.terminal.comparable import treatment
from vae_cli.terminal.quantity import Results, number
from vae_cli.terminal.rows import (
    Row,
    bound_advice,
    few_images_advice,
    rows_of,
    scale_advice,
    warnings_of,
)
from vae_cli.training.collapse import collapse_advice

GAP = 2  # columns between those of a table
MEANING = 18  # columns, below which what a number means is left out


def print_summary(results: Results, folder: RunFolder, console: Console) -> None:
    """Prints a run's results as a table, where everything is, and what to do next."""
    results = with_declared(results, folder)
    images = results["test/images"]
    title = f"{images} test image{'s' * (images != 1)}, binarize={results['data/binarize']}"
    checkpoints = CurrentCheckpoints(folder)
    drawn, old = list[str](), list[str]()
    for file in sorted(folder.figures.glob("*.png")):
        digest = checkpoint_of_png(file.read_bytes())
        (drawn if checkpoints.is_current_picture(digest) else old).append(file.stem)
    further = f"max_steps={2 * results['train/steps']}"
    if results["fast_dev_run"]:
        further = "fast_dev_run=false"
    path = shlex.quote(str(folder.path))
    lines = {
        "run": str(folder.path),
        "pictures": f"{folder.figures} ({', '.join(drawn)})" if drawn else "none",
        "measure": f"vae-eval run={path}",
        "resume": f"vae-train resume={path} trainer.{further}",
    }
    if any(folder.path.glob("events.*")):
        lines["dashboard"] = f"tensorboard --logdir {shlex.quote(str(folder.path.parent))}"
    console.print("", _table(title, rows_of(results, "test/"), results, console))
    advice = collapse_advice(results, results["latent_dim"], "test")
    tested = {key.removeprefix("test/"): value for key, value in results.items()}
    of_evidence = bound_advice(tested, f"vae-eval run={path} gives a better estimate.")
    of_scale = scale_advice(results.get("test/scale_at_bound"))
    for warning in (few_images_advice(tested), advice, of_evidence, of_scale):
        if warning is not None:
            print_warning(warning, console)
    print_lines(lines, console)
    if old:
        renew = f"To renew one: vae-sample run={path} what=NAME"
        print_note(console, f"{folder.figures} has {old_pictures(old)}. {renew}")
    if export := checkpoints.old_export():
        print_note(console, export)


def print_evaluation(record: Results, folder: RunFolder, console: Console) -> None:
    """Prints an evaluation as a table, with warnings of what not to trust."""
    title = heading(record, f"seed {record['seed']}")
    record = with_declared(record, folder)
    if rows := rows_of(record):
        console.print(_table(title, rows, record, console))
    else:
        print_line(console, "no number over all images; see the values of each image")
    for warning in warnings_of(record):
        print_warning(warning, console)
    print_lines({"numbers": str(folder.evaluation), "images": str(folder.evaluated)}, console)


def heading(record: Results, setting: str) -> str:
    """Two lines above a table of what was measured: which images and checkpoint, and how."""
    return (
        f"{record['images']} images: {treatment(record)}\n"
        f"{record['checkpoint']} ({record['checkpoint_sha256'][:8]}), {setting}"
    )


def _table(title: str, rows: Iterable[Row], results: Results, console: Console) -> Drawn:
    shown = [(k, number(results, k), printable(u), printable(m)) for k, u, m in rows]
    widths = [max((len(row[i]) for row in shown), default=0) + GAP for i in range(4)]
    heading = Text(printable(title, keep="\n"), "table.title")
    table, is_wide = Drawn(title=heading, box=SIMPLE_HEAD), console.width >= sum(widths[:3])
    for name, justify in (("result", "left"), ("value", "right"), ("", "left")):
        # Where there is room for them these stay whole, and the meaning beside them is folded.
        table.add_column(name, justify=justify, no_wrap=is_wide, overflow="fold")  # type: ignore[arg-type]
    has_meaning = console.width >= sum(widths[:3]) + min(widths[3], MEANING)
    if has_meaning:  # else it would be folded to a letter or two
        table.add_column("", overflow="fold")
    for row in shown:
        table.add_row(*map(Text, row[: 3 + has_meaning]))
    return table


def print_warning(text: str, console: Console) -> None:
    """Prints what not to trust, or what is hardly meant."""
    print_line(console, f"warning: {text}", "yellow")


def print_lines(lines: Mapping[str, str], console: Console) -> None:
    """Prints lines by name, aligned."""
    for name, value in lines.items():
        print_line(console, f"{name:<10} {value}")
