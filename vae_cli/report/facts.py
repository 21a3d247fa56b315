"""What a reader wants to know of a run before its numbers."""

from collections.abc import Sequence
from typing import NamedTuple

from vae_cli.report.record import RunRecord
from vae_cli.run.recorded import is_number

MOST = 4  # values of several runs that are named; of more, their number is


class Fact(NamedTuple):
    """Something about a run, in words."""

    head: str
    value: str


def facts(records: Sequence[RunRecord]) -> list[Fact]:
    """What runs are: model, data, sizes, length, seed and date, each value once.

    What no run says is left out.
    """
    each = [_facts(record) for record in records]
    found = []
    for head in each[0]:
        values = [*dict.fromkeys(facts[head] for facts in each if facts[head])]
        if values:
            found.append(Fact(head, _joined(head, values)))
    return found


def _joined(head: str, values: list[str]) -> str:
    if head == "date" and len(values) > 1:  # in this form texts sort as times do
        return f"{min(values)} … {max(values)}"
    return "; ".join(values) if len(values) <= MOST else f"{len(values)} different"


def _facts(record: RunRecord) -> dict[str, str]:
    settings, results = record.settings, record.results
    parts = (settings.get(key) for key in ("model", "posterior", "network"))
    parameters, seed = results.get("parameters"), settings.get("seed")
    return {
        "model": ", ".join(str(part) for part in parts if part),
        "data": str(settings.get("data") or ""),
        "latent dimension": str(settings.get("latent_dim") or ""),
        "parameters": f"{parameters:,}" if is_number(parameters) else "",
        "epochs": _epochs(record),
        "seed": "" if seed is None else str(seed),
        "date": f"{record.date} UTC" if record.date else "",
    }


def _epochs(record: RunRecord) -> str:
    """How many were trained, and how many there could have been."""
    done, most = record.results.get("train/epochs"), record.settings.get("trainer.max_epochs")
    if not is_number(done):
        return "" if most is None else f"not ended, of {most}"
    return f"{done:g}" if most in (None, done) else f"{done:g} of {most}"
