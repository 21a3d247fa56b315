"""The numbers of a run on one split, whichever command measured them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from vae_cli.files import UnsafeFile
from vae_cli.run.current import CurrentNumbers
from vae_cli.run.declared import DECLARED
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import SPLITS
from vae_cli.run.settings import place_of_data, read_config

TESTED, VALIDATED = "test/", "validation/"
BEST = "best.ckpt"  # which is tested at the end of training
LOG_LIKELIHOOD = "log_likelihood"
SAMPLES = "log_likelihood_samples"


def measured(
    results: Mapping[str, Any], evaluated: Mapping[str, Any], split: str
) -> dict[str, Any]:
    """Numbers of vae-eval, and of the test at the end of training where it has none.

    Args:
        results: As in ``results.json``.
        evaluated: The split's record of ``evaluation.json``; empty if vae-eval has not run.
        split: Whose numbers are wanted.

    Returns:
        By name, with ``measured_by``, ``checkpoint`` and the S of log p(x), and the numbers of the
        validation images as ``validation_...``.
    """
    tested = {k.removeprefix(TESTED): v for k, v in results.items() if k.startswith(TESTED)}
    tested |= {"images_sha256": results.get("data/images_sha256"), "checkpoint": BEST}
    is_alike = split == "test" and bool(results) and evaluated.get("checkpoint", BEST) == BEST
    numbers = {**(tested if is_alike else {}), **evaluated, "split": split}
    if evaluated or is_alike:
        numbers["measured_by"] = "vae-eval" if evaluated else "vae-train"
    if is_alike and evaluated and LOG_LIKELIHOOD in tested and LOG_LIKELIHOOD not in evaluated:
        numbers["measured_by"] = "vae-eval, log p(x) by vae-train"
        numbers[SAMPLES] = tested.get(SAMPLES)
    declared = (results or evaluated).get(DECLARED, {})
    return {**numbers, **_validated(results), DECLARED: declared}


def with_validation(record: Mapping[str, Any], folder: RunFolder) -> dict[str, Any]:
    """An evaluation with what ranks it: the validation numbers of the checkpoint that it is of."""
    found = dict(record)
    with suppress(UnsafeFile):
        if record.get("split") in SPLITS:  # else of other images than the run's
            found["data_path"] = place_of_data(read_config(folder.config))
        if record.get("checkpoint") == BEST:
            found |= _validated(CurrentNumbers(folder, lambda note: None).results)
    return found


def _validated(results: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of the validation images, and which of them was monitored."""
    found = {f"validation_{k.removeprefix(VALIDATED)}": v for k, v in results.items()
             if k.startswith(VALIDATED)}  # fmt: skip
    return {**found, "monitor": results.get("monitor")}
