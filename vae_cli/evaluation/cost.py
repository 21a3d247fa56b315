"""What an evaluation costs, before it is made."""

from collections.abc import Callable, Collection
from typing import Any

import torch
from omegaconf import DictConfig

from vae_cli.config.construct import construct
from vae_cli.evaluation.unfinished import BATCH
from vae_cli.metric.base import Evaluation
from vae_cli.progress import LONG, cost_line, duration
from vae_cli.run.subject import Subject
from vae_cli.training.callbacks import seconds_now

PILOTS = (100, 500)  # draws an image that are timed: they show what a draw costs, and the rest
WORTH = 100  # times as many draws are to be made as are timed, or nothing is timed
FEWER = 10  # times as few draws are suggested
FEWEST = 100  # that are suggested


def describe_cost(
    subject: Subject,
    cfg: DictConfig,
    names: Collection[str],
    images: int,
    clock: Callable[[torch.device], float] = seconds_now,
) -> str | None:
    """How long metrics take, and how long with fewer draws; None of what is soon done.

    Two small numbers of draws are timed on a batch, as a straight line through both tells all.

    Args:
        subject: What is measured.
        cfg: As composed from ``eval.yaml``.
        names: Of the metrics.
        images: To be measured.
        clock: Seconds, once a device has done its work.
    """
    samples = max((_samples(cfg.metric[name]) for name in names), default=0)
    batches = -(-images // BATCH)
    if samples * batches < WORTH * sum(PILOTS):
        return None
    few, many = (_time(subject, cfg, names, draws, clock) for draws in PILOTS)
    each = max(0.0, many - few) / (PILOTS[1] - PILOTS[0])

    def seconds(draws: int) -> float:
        return batches * max(few + each * (draws - PILOTS[0]), 0.0)

    if seconds(samples) <= LONG:
        return None
    fewer = samples // FEWER
    what = f"log p(x), S = {samples}" if samples == cfg.get("samples") else ", ".join(names)
    line = cost_line(what, seconds(samples), images, "images")
    if samples != cfg.get("samples") or fewer < FEWEST:
        return line
    return f"{line} samples={fewer} takes about {duration(seconds(fewer))}."


def _time(
    subject: Subject,
    cfg: DictConfig,
    names: Collection[str],
    draws: int,
    clock: Callable[[torch.device], float],
) -> float:
    """Seconds that a batch takes with so many draws at most."""
    fewer = cfg.copy()
    for name in names:
        if _samples(fewer.metric[name]) > draws:
            fewer.metric[name].samples = draws
    metrics = {name: construct(fewer, f"metric.{name}") for name in names}
    split, device = subject.splits[subject.measured], subject.model.device
    batch = split.batch(torch.arange(min(BATCH, len(split)), device=split.device))
    with torch.no_grad():
        subject.model.encode(batch)  # what comes first is slower
    start = clock(device)
    Evaluation(metrics, cfg.seed, "cost").add(subject.model, 0, batch)
    return clock(device) - start


def _samples(node: Any) -> int:
    """Draws an image that a metric makes; 0 of one that makes none."""
    found = node.get("samples", 0)
    return found if isinstance(found, int) else 0
