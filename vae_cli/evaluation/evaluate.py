"""How good a trained model is, from its run's folder alone."""

import math
import time
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from vae_cli import noise
from vae_cli.analysis.base import Analysis
from vae_cli.config.agreement import applicable
from vae_cli.config.build import build_each
from vae_cli.config.construct import construct
from vae_cli.console import print_line
from vae_cli.errors import ConfigError, Resumable, TrainingError
from vae_cli.evaluation.answer import GROUPS, source_of
from vae_cli.evaluation.cost import describe_cost
from vae_cli.evaluation.numbers import Measured, read_evaluation, update_evaluation
from vae_cli.evaluation.unfinished import BATCH, Unfinished
from vae_cli.metric.base import Evaluation
from vae_cli.progress import progress
from vae_cli.run.bits import bits_per_dim
from vae_cli.run.images import basis_of
from vae_cli.run.subject import Subject

SAVE_EVERY = 10.0  # seconds of work that a crash may cost, beside a batch

NOTHING = f"nothing is saved yet. Numbers are saved after each {BATCH} images."

Wanted = dict[str, dict[str, Any]]  # options of what is to be measured, by group and name


def evaluate(
    subject: Subject, cfg: DictConfig, named: Collection[str], console: Console
) -> dict[str, Any]:
    """Measures a model, and writes the numbers into its run's folder, each as soon as it is known.

    Args:
        subject: What to measure.
        cfg: As composed from ``eval.yaml``.
        named: What the user has asked for by name, among what is to be measured: the rest is left
            out where the model is not of its kind.
        console: Where progress is shown.

    Returns:
        The numbers, after what they depend on: the images and their hash, the checkpoint and its,
        seed, device, settings. What the folder has of all that already is not measured again.

    Raises:
        ConfigError: If there is nothing to measure, or what was named can't be.
        TrainingError: If one of the numbers is NaN or infinite.
        Resumable: If it is interrupted after something was kept.
    """
    folder, basis = subject.folder, basis_of(subject, subject.measured, cfg.seed)
    known = read_evaluation(folder, basis, partial(_note, console))
    wanted = {group: _settings(cfg, group, subject.model, named) for group in GROUPS}
    if not any(wanted.values()):
        raise ConfigError("metric", [], "there is nothing to measure", "Leave it out.")
    have = _measured(known)
    missing = {
        group: {name: node for name, node in nodes.items() if have[group].get(name) != node}
        for group, nodes in wanted.items()
    }
    left_out = {g: [str(n) for n in cfg.get(g) or () if str(n) not in wanted[g]] for g in GROUPS}
    source = source_of(
        cfg, subject.config, folder, subject.files, subject.read_at, left_out, subject.notes
    )

    def keep(found: Measured) -> dict[str, Any]:
        return update_evaluation(folder, basis, found._replace(source=source))

    if not any(missing.values()):  # found only now: the files of data have changed
        return keep(Measured({}, {}, {})) if source else known
    record: dict[str, Any] = {}
    if missing["metric"]:
        found, unfinished = _measure(subject, cfg, missing["metric"], basis, console)
        record = keep(found)
        unfinished.remove()
    try:
        for name, node in missing["analysis"].items():
            record = keep(_analyse(subject, cfg, name, node, console))
    except KeyboardInterrupt as stop:
        if not record:
            raise
        raise Resumable from stop
    return record or known


def _measured(known: Mapping[str, Any]) -> Wanted:
    """The options with which an evaluation was made, by group and name."""
    found = known.get("settings")
    groups = found if isinstance(found, dict) else {}
    return {g: groups[g] if isinstance(groups.get(g), dict) else {} for g in GROUPS}


def _settings(cfg: DictConfig, group: str, model: Any, named: Collection[str]) -> dict[str, Any]:
    """The options of what is to be measured, by name.

    Raises:
        ConfigError: If the model is not of the kind that something named is about.
    """
    measures = applicable(group, build_each(cfg, group), model, named)
    return {name: OmegaConf.to_container(cfg[group][name]) for name in measures}


def _measure(
    subject: Subject,
    cfg: DictConfig,
    wanted: Mapping[str, Any],
    basis: Mapping[str, Any],
    console: Console,
) -> tuple[Measured, Unfinished]:
    """Metrics over the split, from where an interrupted evaluation of the same stopped.

    Returns:
        What is found, and the file to remove once it is kept.
    """
    split, note = subject.splits[subject.measured], partial(_note, console)
    options = OmegaConf.to_container(OmegaConf.masked_copy(cfg.metric, [*wanted]))
    unfinished = Unfinished(subject.folder, {**basis, "metric": options}, len(split))
    state = unfinished.read(note)
    metrics = {name: construct(cfg, f"metric.{name}") for name in wanted}
    evaluation = Evaluation(metrics, cfg.seed, subject.measured, keeps_values=True, state=state)
    done = state.images if state else 0
    if done:
        note(f"resuming after {done} images")
    try:
        if cost := describe_cost(subject, cfg, wanted, len(split) - done):
            print_line(console, cost)
        _count_in(subject, evaluation, done, unfinished, console, cost is not None)
    except KeyboardInterrupt as stop:
        if not evaluation.state.images:
            raise KeyboardInterrupt(NOTHING) from stop
        unfinished.write(evaluation.state)
        raise Resumable from stop
    kept = evaluation.state.kept
    values = {name: torch.cat([part[name] for part in kept]).numpy() for name in kept[0]}
    values["label"] = split.images.labels.cpu().numpy()
    values["name"] = split.images.names
    numbers = _checked(subject, evaluation.results([evaluation.state]))
    if "log_likelihood" in numbers:
        numbers["bits_per_dim"] = bits_per_dim(subject.config, numbers["log_likelihood"])
    declared = [number for metric in metrics.values() for number in metric.declares]
    return Measured({"metric": wanted}, numbers, values, declared), unfinished


def _count_in(
    subject: Subject,
    evaluation: Evaluation,
    done: int,
    unfinished: Unfinished,
    console: Console,
    is_announced: bool,
) -> None:
    """Measures the images of the split from number ``done``, and saves the state now and then."""
    split, saved = subject.splits[subject.measured], time.monotonic()
    batches = list(enumerate(torch.arange(len(split), device=split.device).split(BATCH)))
    with progress("metrics", len(split), "images", console, done, is_announced) as advance:
        for number, index in batches[-(-done // BATCH) :]:
            evaluation.add(subject.model, number, split.batch(index))
            advance(evaluation.state.images)
            if time.monotonic() - saved > SAVE_EVERY:
                unfinished.write(evaluation.state)
                saved = time.monotonic()


def _analyse(
    subject: Subject, cfg: DictConfig, name: str, options: Any, console: Console
) -> Measured:
    """The numbers of an analysis."""
    _note(console, name.replace("_", " "))
    analysis: Analysis = construct(cfg, f"analysis.{name}")
    with noise.stream(subject.model.device, "analysis", cfg.seed, subject.measured, name):
        try:
            numbers = analysis.numbers(subject.model, subject.splits, subject.measured)
        except NotImplementedError:  # a user's flow without an inverse, say
            _note(console, f"{name} is left out: it needs log q(z|x) at z that q did not draw")
            numbers = {}
    checked = _checked(subject, numbers)
    return Measured({"analysis": {name: options}}, checked, {}, analysis.declares)


def _checked(subject: Subject, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """The same numbers.

    Raises:
        TrainingError: If one of them is NaN or infinite.
    """
    wrong = [name for name, number in numbers.items() if not math.isfinite(number or 0)]
    if wrong:
        path = subject.folder.path
        raise TrainingError(f"{path}: {wrong[0]} is NaN or infinite. Is the model trained?")
    return dict(numbers)


def _note(console: Console, text: str) -> None:
    print_line(console, text, "dim")
