"""The numbers of a run on one split, whichever command measured them."""

from collections.abc import Mapping
from typing import Any

from vae_cli.run.declared import DECLARED

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
    validated = {f"validation_{k.removeprefix(VALIDATED)}": v for k, v in results.items()
                 if k.startswith(VALIDATED)}  # fmt: skip
    declared = (results or evaluated).get(DECLARED, {})
    monitor = results.get("monitor")
    return {**numbers, **validated, "monitor": monitor, DECLARED: declared}
