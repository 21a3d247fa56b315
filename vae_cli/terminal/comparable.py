"""Results that may stand in one table, their order, and the table that vae-eval prints of them."""

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import NamedTuple

from rich.console import Console

from vae_cli.console import printable
from vae_cli.number import BY_NAME, Number
from vae_cli.run.declared import DECLARED, with_declared
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import is_number
from vae_cli.run.short_names import short_names
from vae_cli.terminal.quantity import Results, number, quantity
from vae_cli.terminal.table import Table, print_table

TREATMENT = ("data", "split", "binarize", "dequantize")  # the head of a table of several runs
BOUNDS = ("elbo", "log_likelihood")
OF_VALIDATION = ("validation_elbo", "validation_reconstruction")  # the first that all have ranks
DIGITS = 8  # of a hash that are shown
MEASURED = "measured by"  # the column that tells numbers of one kind apart


class Ranking(NamedTuple):
    """The number by which results are ordered; it has a direction."""

    key: str
    number: Number

    def place(self, record: Results) -> tuple[bool, float]:
        """Small for the best; a record without the number is last."""
        value = record.get(self.key)
        if not is_number(value):
            return True, 0.0
        return False, -value if self.number.larger_is_better else value


class Comparable(NamedTuple):
    """Results that may stand in one table.

    Attributes:
        title: What they share.
        members: By name, best first by validation images; else in the order given.
        is_mixed: Whether they differ in the treatment of data, and are to be marked.
        ranking: What they are ranked by; None for the order given.
    """

    title: str
    members: list[tuple[str, Results]]
    is_mixed: bool
    ranking: Ranking | None

    @property
    def records(self) -> list[Results]:
        """The results alone."""
        return [record for _, record in self.members]

    @property
    def protocols(self) -> list[str]:
        """How the numbers were measured, each way once."""
        return list(dict.fromkeys(protocol(record) for record in self.records))


def comparable(records: Sequence[tuple[str, Results]], mixed: bool) -> list[Comparable]:
    """Splits results by the data and their treatment, unless they are to be mixed.

    Each group has its own title.
    """
    groups: dict[tuple[str, str], list[tuple[str, Results]]] = {}
    for name, record in records:
        own = ("mixed data", "") if mixed else (treatment(record), images_of(record))
        groups.setdefault(own, []).append((name, record))
    found, titles = [], [title for title, _ in groups]
    for (title, _), members in groups.items():
        if titles.count(title) > 1:
            title = f"{title}, images {digits_of(members[0][1])}"
        ranking = validation_ranking([record for _, record in members])
        if ranking is not None:
            members = sorted(members, key=lambda member: ranking.place(member[1]))
        is_mixed = mixed and len({marked(record) for _, record in members}) > 1
        found.append(Comparable(title, members, is_mixed, ranking))
    return found


def validation_ranking(records: Sequence[Results]) -> Ranking | None:
    """By a number of the validation images: the monitored one, the bound, or log p(x|z).

    A test-chosen winner would look better than it is.
    """
    monitors = {str(r["monitor"]).rpartition("/")[2] for r in records if r.get("monitor")}
    monitored = [f"validation_{name}" for name in monitors] if len(monitors) == 1 else []
    is_validation = all(record.get("split") == "validation" for record in records)
    own = ("elbo", "reconstruction") if is_validation else ()
    return ranking_of(records, [*monitored, *OF_VALIDATION, *own])


def ranking_of(records: Sequence[Results], keys: Iterable[str]) -> Ranking | None:
    """By the first number with a direction that all records have, of those that have any."""
    found = [Ranking(key, quantity(key, *records)) for key in keys]
    directed = [each for each in found if each.number.larger_is_better is not None]
    some = [r for r in records if any(is_number(r.get(each.key)) for each in directed)]
    complete = (r for r in directed if some and all(is_number(each.get(r.key)) for each in some))
    return next(complete, None)


def order(ranking: Ranking | None) -> str:
    """What a table says of its order."""
    if ranking is None:
        return "in the order given: no number of validation images ranks them"
    return f"best {ranking.number.label} first"


def protocol(record: Results) -> str:
    """What measured a record's numbers: the command, the checkpoint, the draws of log p(x)."""
    samples = record.get("log_likelihood_samples")
    checkpoint = str(record.get("checkpoint") or "").removesuffix(".ckpt")
    is_adapted = is_number(adapted := record.get("log_likelihood_adapted")) and adapted > 0
    draws = f"S = {samples}{' adapted' * is_adapted}" if is_number(samples) else ""
    few = record.get("log_likelihood_images")
    images = f"{few} images" if is_number(few) else ""
    parts = [record.get("measured_by"), checkpoint, draws, images]
    return printable(", ".join(filter(None, parts)))


def images_of(record: Results) -> str:
    """Identifies a set of images, by their hash as far as it is known."""
    return str(record.get("images_sha256") or record.get("data_path"))


def digits_of(record: Results) -> str:
    """The first digits of the images' hash; where that is unknown, where they are."""
    digest = record.get("images_sha256")
    return digest[:DIGITS] if digest else printable(record.get("data_path") or "unknown")


def marked(record: Results) -> str:
    """The treatment of data, and the first digits of the images' hash."""
    return f"{treatment(record)} ({digits_of(record)})"


def compared_keys(records: Sequence[Results]) -> list[str]:
    """The columns for which there is room beside a few runs, of numbers that at least one has."""
    keys = columns(records, is_wide=True)
    return [key for key in keys if any(record.get(key) is not None for record in records)]


def columns(
    records: Sequence[Results], first: Sequence[str] = (), is_wide: bool = False
) -> list[str]:
    """The keys of the numbers that are columns of comparisons by default, in order.

    Args:
        records: What is compared, with what their runs declare.
        first: Keys that come first.
        is_wide: Whether there is room for more.
    """
    has_none = any("reconstruction" in r and not any(b in r for b in BOUNDS) for r in records)
    wanted = {"columns", *(["wide"] * is_wide), *(["codes"] * has_none)}
    names = dict.fromkeys([*BY_NAME, *(name for r in records for name in r.get(DECLARED, ()))])
    numbers = [quantity(name, *records) for name in names if name not in first]
    shown = sorted((n for n in numbers if wanted & {*n.tables}), key=lambda n: n.column)
    keys = [([f"validation_{n.name}"] * ("validation" in n.tables), n.name) for n in shown]
    return [*first, *(key for validation, name in keys for key in (*validation, name))]


def treatment(record: Results) -> str:
    """Data and what was done to its pixels, in words: what results must share to compare."""
    found = {key: record.get(key) for key in TREATMENT}
    values = {key: value for key, value in found.items() if value not in (None, False)}
    place = record.get("data_path")
    file = [PurePath(place).name] if place else []
    data, split = (str(values.pop(key, "unknown")) for key in ("data", "split"))
    data = " ".join([data, *file, split])
    return printable(", ".join([data, *(f"{key}={value}" for key, value in values.items())]))


def print_comparison(records: Sequence[tuple[str, Results]], mixed: bool, console: Console) -> None:
    """Prints the numbers of several runs: a table for each treatment of data.

    Args:
        records: Evaluations by the folders of their runs.
        mixed: Whether all go into one table, marked with their treatment.
        console: Where to.
    """
    names = short_names([path for path, _ in records])
    declared = [(path, with_declared(record, RunFolder(path))) for path, record in records]
    for group in comparable(declared, mixed):
        keys, differs = compared_keys(group.records), len(group.protocols) > 1
        labels = ["run", *(["data"] * group.is_mixed), *([MEASURED] * differs)]
        heads = [*labels, *(quantity(key, *group.records).label for key in keys)]
        rows = []
        for path, record in group.members:
            marks = [*([marked(record)] * group.is_mixed), *([protocol(record)] * differs)]
            rows.append([names[path], *marks, *(number(record, key) for key in keys)])
        print_table(Table(headed(group), heads, rows, range(len(labels), len(heads))), console)


def headed(group: Comparable) -> str:
    """The title of a table of single runs: the data, how it was measured, the order, and ±."""
    shared = group.protocols if len(group.protocols) == 1 else []
    lines = [group.title, *shared, f"{order(group.ranking)}; ± standard error over images"]
    return "\n".join(filter(None, lines))
