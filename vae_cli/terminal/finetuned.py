"""What is shown of classifiers on encoders."""

from collections.abc import Iterator, Sequence

from rich.console import Console

from vae_cli.console import print_line
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import is_number
from vae_cli.run.short_names import short_names
from vae_cli.terminal.comparable import comparable
from vae_cli.terminal.quantity import Results, number
from vae_cli.terminal.summary import heading
from vae_cli.terminal.table import Table, print_table


def print_finetuned(record: Results, folder: RunFolder, console: Console) -> None:
    """Prints the accuracies of one setting as a table."""
    heads = ["classifier", "test accuracy", "validation", "labels", "step", "epoch"]
    rows = []
    labels = str(record["labelled_images"])
    for name, head in _classifiers(record):
        keys = (f"{name}_validation_accuracy", f"{name}_step", f"{name}_epoch")
        validation, accuracy = (number(record, key) for key in (keys[0], f"{name}_accuracy"))
        step, epoch = (_count(record.get(key)) for key in keys[1:])
        rows.append([head, accuracy, validation, labels, step, epoch])
    title = heading(record, _setting(record))
    print_table(Table(title, heads, rows, range(1, len(heads))), console)
    print_line(console, f"{'numbers':<10} {folder.finetuned}")


def print_several(records: Sequence[tuple[str, Results]], console: Console) -> None:
    """Prints the test accuracies of several runs: a table for each treatment of data.

    Args:
        records: Of one setting, by the folders of their runs.
        console: Where to.
    """
    names = short_names([path for path, _ in records])
    for group in comparable(records, mixed=False):
        _, first = group.members[0]
        heads = ["run", *(head for _, head in _classifiers(first))]
        rows = []
        for path, record in group.members:
            cells = (number(record, f"{name}_accuracy") for name, _ in _classifiers(record))
            rows.append([names[path], *cells])
        title = f"{group.title}\n{_setting(first)}"
        print_table(Table(title, heads, rows, range(1, len(heads))), console)


def _count(value: object) -> str:
    """A number of steps or epochs, whole where it is."""
    return f"{value:.5g}" if is_number(value) else ""


def _classifiers(record: Results) -> Iterator[tuple[str, str]]:
    """What a record has accuracies of, and what that is called."""
    yield "trained_encoder", "head alone" if record["freeze"] else "finetuned"
    yield "from_scratch", "from scratch"
    yield "linear_probe", "linear probe"


def _setting(record: Results) -> str:
    draw = "" if record["labels"] == "all" else f" (label seed {record['label_seed']})"
    return f"{record['labelled_images']} labels{draw}, seed {record['seed']}"
