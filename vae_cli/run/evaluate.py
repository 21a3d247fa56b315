"""How good a trained model is, from its run's folder alone."""

import hashlib
import json
import math
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from vae_cli import noise
from vae_cli.analysis.base import Analysis
from vae_cli.config.construct import construct
from vae_cli.console import print_line
from vae_cli.errors import ConfigError, TrainingError
from vae_cli.folders import check_name, replaced
from vae_cli.metric.base import Evaluation, Metric, State
from vae_cli.model.base import Model
from vae_cli.run.bits import bits_per_dim
from vae_cli.run.folder import RunFolder
from vae_cli.run.images import basis_of
from vae_cli.run.numbers import GROUPS, Found, read_evaluation, update_evaluation
from vae_cli.run.subject import Subject
from vae_cli.training.checkpoint_file import CheckpointError, read_sealed, write_sealed

BATCH = 100  # images; part of the definition of the evaluation's noise: not an option
SAVE_EVERY = 10.0  # seconds of work that an interruption may cost, beside a batch
LINES = 10  # about so many, where the output is no terminal


def evaluate(
    subject: Subject, cfg: DictConfig, named: Collection[str], console: Console
) -> dict[str, Any]:
    """Measures a model, and writes the numbers into its run's folder.

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
        TrainingError: If one of the numbers is none: the model is broken.
    """
    folder, basis = subject.folder, basis_of(subject, subject.measured, cfg.seed)
    note = partial(_note, console)
    known = read_evaluation(folder, basis, note)
    wanted = {group: _settings(cfg, group, subject.model, named) for group in GROUPS}
    if not any(wanted.values()):
        raise ConfigError("metric", [], "there is nothing to measure", "Leave it out.")
    have = _measured(known)
    missing = {
        group: [name for name, node in nodes.items() if have[group].get(name) != node]
        for group, nodes in wanted.items()
    }
    if not any(missing.values()):
        return known
    conditions = {
        **basis,
        "metric": OmegaConf.to_container(OmegaConf.masked_copy(cfg.metric, missing["metric"])),
    }
    unfinished = _unfinished(folder, conditions)
    numbers, values = _measure(subject, cfg, missing["metric"], unfinished, conditions, console)
    for name in missing["analysis"]:
        note(name.replace("_", " "))
        noise.seed_draws(subject.model.device, "analysis", cfg.seed, subject.measured, name)
        analysis: Analysis = construct(cfg, f"analysis.{name}")
        numbers |= analysis.numbers(subject.model, subject.splits, subject.measured)
    wrong = [name for name, number in numbers.items() if not math.isfinite(number or 0)]
    if wrong:
        raise TrainingError(f"{folder.path}: {wrong[0]} is not a number. Is it trained?")
    if "log_likelihood" in numbers:
        numbers["bits_per_dim"] = bits_per_dim(subject.config, numbers["log_likelihood"])
    new = {group: {name: wanted[group][name] for name in missing[group]} for group in GROUPS}
    record = update_evaluation(folder, basis, Found(new, numbers, values))
    unfinished.unlink(missing_ok=True)
    return record


def _measured(known: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The options with which an evaluation was made, by group and name."""
    found = known.get("settings")
    groups = found if isinstance(found, dict) else {}
    return {g: groups[g] if isinstance(groups.get(g), dict) else {} for g in GROUPS}


def named_in(overrides: Iterable[str], cfg: DictConfig) -> set[str]:
    """The metrics and analyses that overrides ask for, by their lists."""
    listed = [text.partition("=")[0] for text in overrides]
    return {str(name) for group in GROUPS if group in listed for name in cfg.get(group) or ()}


def _settings(cfg: DictConfig, group: str, model: Model, named: Collection[str]) -> dict[str, Any]:
    """The options of what is to be measured, by name.

    Raises:
        ConfigError: If the model is not of the kind that something named is about.
    """
    found = {}
    for name in map(str, cfg.get(group) or ()):
        check_name(group, name)
        measure: Metric | Analysis = construct(cfg, f"{group}.{name}")
        if isinstance(model, measure.model_class):
            found[name] = OmegaConf.to_container(cfg[group][name])
        elif name in named:
            rule = f"needs {measure.model_class.description}"
            raise ConfigError(group, name, rule, "Leave it out.")
    return found


def _unfinished(folder: RunFolder, conditions: Mapping[str, Any]) -> Path:
    """What an evaluation that is interrupted leaves; each has a name of its conditions."""
    text = json.dumps(conditions, sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return folder.path / f"evaluation.{digest}.partial"


def _measure(
    subject: Subject,
    cfg: DictConfig,
    names: list[str],
    unfinished: Path,
    conditions: Mapping[str, Any],
    console: Console,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metrics over the split, from where an interrupted evaluation of the same stopped.

    Returns:
        The numbers, and the values of each image, by name.
    """
    if not names:
        return {}, {}
    metrics = {name: construct(cfg, f"metric.{name}") for name in names}
    split = subject.splits[subject.measured]
    state = _saved_state(unfinished, conditions, len(split), console)
    evaluation = Evaluation(metrics, cfg.seed, subject.measured, keeps_values=True, state=state)
    done = state.images if state else 0
    if done:
        _note(console, f"going on after {done} images")
    saved = time.monotonic()
    batches = list(enumerate(torch.arange(len(split), device=split.device).split(BATCH)))
    for number, index in _tracked(batches[done // BATCH :], done, len(split), console):
        evaluation.add(subject.model, number, split.batch(index))
        if time.monotonic() - saved > SAVE_EVERY:
            with replaced(unfinished) as file:
                write_sealed({"conditions": conditions, **evaluation.state._asdict()}, file)
            saved = time.monotonic()
    kept = evaluation.state.kept
    values = {name: torch.cat([part[name] for part in kept]).numpy() for name in kept[0]}
    values["label"] = split.images.labels.cpu().numpy()
    values["name"] = split.images.names
    return evaluation.results([evaluation.state]), values


def _saved_state(
    path: Path, conditions: Mapping[str, Any], total: int, console: Console
) -> State | None:
    """Where the same evaluation stopped; None if it never did."""
    if not path.is_file():
        return None
    try:
        saved = read_sealed(path)
        if saved.pop("conditions", None) != conditions:
            raise CheckpointError(f"{path.name} is of another evaluation")
        state = State(**saved)
        _check_state(state, conditions["metric"].keys(), total)
    except (CheckpointError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        what = error if isinstance(error, CheckpointError) else f"{path.name} is damaged"
        _note(console, f"{path.parent}: {what}; its images are measured again")
        return None
    return state


def _check_state(state: State, names: Collection[str], total: int) -> None:
    """Raises ValueError unless a state is one of an evaluation, as far as its shapes tell."""
    images, sums, kept = state
    if not isinstance(images, int) or not 0 < images <= total:
        raise ValueError("it has no number of images")
    sizes = [min(BATCH, total - start) for start in range(0, images, BATCH)]
    if sum(sizes) != images or len(sizes) != len(kept) or sums.keys() != set(names):
        raise ValueError("it has other images or metrics")
    shapes = {name: value.shape[1:] for name, value in kept[0].items()}
    for part, size in zip(kept, sizes, strict=True):
        if {name: value.shape for name, value in part.items()} != {
            name: (size, *shape) for name, shape in shapes.items()
        }:
            raise ValueError("its batches differ")
    totals = {name: value.shape for each in sums.values() for name, value in each.items()}
    if totals != {name: (2, *shape) for name, shape in shapes.items()}:
        raise ValueError("its sums are of other values")


def _tracked(
    batches: list[tuple[int, Tensor]], done: int, total: int, console: Console
) -> Iterator[tuple[int, Tensor]]:
    """The batches, with a bar in a terminal and elsewhere a line now and then."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("images"), TimeRemainingColumn())
    is_terminal, next_line = console.is_terminal, done + total / LINES
    with Progress(*columns, console=console, transient=True, disable=not is_terminal) as bar:
        task = bar.add_task("", total=total, completed=done)
        for number, index in batches:
            yield number, index
            done += len(index)
            bar.update(task, completed=done)
            if not is_terminal and done >= next_line:
                next_line += total / LINES
                _note(console, f"{done}/{total} images")


def _note(console: Console, text: str) -> None:
    print_line(console, text, "dim")
