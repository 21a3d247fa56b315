"""What a run says at its end, and what an evaluation says of one run or several."""

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from vae_cli.console import print_line, printable
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import is_number
from vae_cli.run.rows import (
    Results,
    Row,
    bound_advice,
    is_share,
    rows_of_evaluation,
    rows_of_run,
    scale_advice,
    warnings_of,
)
from vae_cli.run.table import Table, print_table
from vae_cli.training.collapse import collapse_advice

GAP = 2  # columns between those of a table
MEANING = 18  # columns, below which what a number means is left out
SMALL = (  # numbers that are 0 where all is well
    "log_likelihood_mc_se", "log_likelihood_bias", "posterior_log_det_error",
    "posterior_log_prob_error",
)  # fmt: skip
MOST_DIGITS = 6  # behind the point
LONG = 1e12  # from which a number is shown by its first digits
TREATMENT = ("data", "split", "binarize", "dequantize")  # what a table of several runs is headed by
COMPARED = {  # of several runs: keys and column heads
    "validation_elbo": "validation ELBO", "elbo": "ELBO", "log_likelihood": "log p(x)",
    "error": "error", "kl": "KL", "bits_per_dim": "bits/dim", "active_units": "active",
    "effective_sample_size": "ESS",
}  # fmt: skip
WITHOUT_BOUND = {  # … where some have no bound to be compared by
    "validation_reconstruction": "validation reconstruction", "reconstruction": "reconstruction",
    "reconstruction_error": "squared error",
}  # fmt: skip
HEADS = COMPARED | WITHOUT_BOUND
BOUNDS = ("elbo", "log_likelihood")


def print_summary(results: Results, folder: RunFolder, console: Console) -> None:
    """Prints a run's results as a table, where everything is, and what to do next.

    Args:
        results: As in ``results.json``.
        folder: Of the run.
        console: Where to.
    """
    title = f"{results['test/images']} test images, binarize={results['data/binarize']}"
    pictures = ", ".join(sorted(p.stem for p in folder.figures.glob("*.png")))
    further = 2 * results["train/steps"]
    path = shlex.quote(str(folder.path))
    lines = {
        "run": str(folder.path),
        "pictures": f"{folder.figures} ({pictures})" if pictures else "none",
        "measure": f"vae-eval run={path}",
        "go on": f"vae-train resume={path} trainer.max_steps={further}",
    }
    if any(folder.path.glob("events.*")):
        lines["dashboard"] = f"tensorboard --logdir {shlex.quote(str(folder.path.parent))}"
    console.print("", _table(title, rows_of_run(results), results, console))
    advice = collapse_advice(results, results["latent_dim"], "test")
    tested = {key.removeprefix("test/"): value for key, value in results.items()}
    of_evidence = bound_advice(tested, f"vae-eval run={path} tells more.")
    for said in (advice, of_evidence, scale_advice(results.get("test/scale_at_bound"))):
        if said is not None:
            _print_warning(said, console)
    _print_lines(lines, console)


def print_evaluation(record: Results, folder: RunFolder, console: Console) -> None:
    """Prints an evaluation as a table, with warnings of what not to trust.

    Args:
        record: As in ``evaluation.json``.
        folder: Of the run.
        console: Where to.
    """
    title = heading(record, f"seed {record['seed']}")
    console.print(_table(title, rows_of_evaluation(record), record, console))
    for warning in warnings_of(record):
        _print_warning(warning, console)
    _print_lines({"numbers": str(folder.evaluation), "images": str(folder.evaluated)}, console)


def heading(record: Results, setting: str) -> str:
    """Two lines above a table of what was measured: which images and checkpoint, and how."""
    return (
        f"{record['images']} images: {treatment(record)}\n"
        f"{record['checkpoint']} ({record['checkpoint_sha256'][:8]}), {setting}"
    )


def print_comparison(records: Sequence[tuple[str, Results]], mixed: bool, console: Console) -> None:
    """Prints the numbers of several runs, the best first: a table for each treatment of data.

    Args:
        records: Evaluations by the names of their runs.
        mixed: Whether all go into one table, marked with their treatment.
        console: Where to.
    """
    for group in comparable(records, mixed):
        keys, labels = compared_keys(group.members), ["run", *(["data"] if group.is_mixed else [])]
        heads = [*labels, *(HEADS[key] for key in keys)]
        rows = []
        for name, record in group.members:
            mark = [_marked(record)] if group.is_mixed else []
            rows.append([name, *mark, *(number(record, key) for key in keys)])
        numbers = range(len(labels), len(heads))
        print_table(Table(group.title, heads, rows, numbers), console)


class Comparable(NamedTuple):
    """Results that may stand in one table.

    Attributes:
        title: What they share.
        members: By name, best log p(x) first, then best reconstruction.
        is_mixed: Whether they differ in the treatment of data, and are to be marked.
    """

    title: str
    members: list[tuple[str, Results]]
    is_mixed: bool


def comparable(records: Sequence[tuple[str, Results]], mixed: bool) -> list[Comparable]:
    """Parts results by the treatment of data, unless they are to be mixed."""
    groups: dict[tuple[str, str], list[tuple[str, Results]]] = {}
    for name, record in records:
        own = ("mixed data", "") if mixed else (treatment(record), _images(record))
        groups.setdefault(own, []).append((name, record))
    return [
        Comparable(
            title,
            sorted(members, key=lambda member: _rank(member[1])),
            mixed and len({_marked(record) for _, record in members}) > 1,
        )
        for (title, _), members in groups.items()
    ]


def _rank(record: Results) -> tuple[float, ...]:
    """Small for the best: by log p(x), and where there is none by the reconstruction."""
    found = (record.get(key) for key in ("log_likelihood", "reconstruction"))
    return tuple(-value if is_number(value) else math.inf for value in found)


def _images(record: Results) -> str:
    """Tells one set of images from another, by their hash as far as it is known."""
    return str(record.get("images_sha256") or record.get("data_path"))


def _marked(record: Results) -> str:
    return f"{treatment(record)} ({_images(record)[:4]})"


def compared_keys(members: Sequence[tuple[str, Results]]) -> list[str]:
    """The compared numbers that at least one has."""
    records = [record for _, record in members]
    keys = with_stand_ins(COMPARED, records)
    return [key for key in keys if any(record.get(key) is not None for record in records)]


def with_stand_ins(keys: Iterable[str], records: Iterable[Results]) -> list[str]:
    """The keys, and where a model of some results has no bound, those of what it has instead."""
    has_none = any("reconstruction" in r and not any(b in r for b in BOUNDS) for r in records)
    return [*keys, *(WITHOUT_BOUND if has_none else ())]


def treatment(record: Results) -> str:
    """Data and what was done to its pixels, in words: what results must share to compare."""
    found = {key: record.get(key) for key in TREATMENT}
    values = {key: value for key, value in found.items() if value not in (None, False)}
    data = " ".join(str(values.pop(key, "unknown")) for key in ("data", "split"))
    return printable(", ".join([data, *(f"{key}={value}" for key, value in values.items())]))


def _table(title: str, rows: Iterable[Row], results: Results, console: Console) -> Drawn:
    shown = [
        (k, number(results, k), u, printable(m)) for k, u, m in rows if results.get(k) is not None
    ]
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


def _print_warning(text: str, console: Console) -> None:
    print_line(console, f"warning: {text}", "yellow")


def _print_lines(lines: Mapping[str, str], console: Console) -> None:
    for name, value in lines.items():
        print_line(console, f"{name:<10} {value}")


def number(results: Results, key: str) -> str:
    """A result as it is shown, with its standard error where it has one."""
    value, error = results.get(key), results.get(f"{key}_se")
    if not is_number(value):
        return ""
    if abs(value) >= LONG:
        return f"{value:.3g}"
    if key in SMALL:
        return f"{value:.1g}"
    if is_number(error):
        digits = 3 if is_share(key) or "normalization" in key else 2
        if error > 0:  # one that counts has a digit of its own
            digits = min(max(digits, math.ceil(-math.log10(error))), MOST_DIGITS)
        return f"{value:.{digits}f} ± {error:.{digits}f}"
    whole = isinstance(value, int) or value >= 1000 or key == "effective_sample_size"
    return f"{value:.0f}" if whole else f"{value:.2f}"
