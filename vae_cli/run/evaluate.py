"""How good a trained model is, from its run's folder alone."""

import hashlib
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

import vae_cli
from vae_cli import noise
from vae_cli.config.build import build_each, build_splits
from vae_cli.data.split import Split
from vae_cli.errors import ConfigError, TrainingError
from vae_cli.metric.base import Evaluation, State
from vae_cli.model.base import LatentVariableModel
from vae_cli.run.bits import bits_per_dim
from vae_cli.run.checkpoint import load_model
from vae_cli.run.folder import RunFolder, replaced
from vae_cli.run.settings import treatment_of

BATCH = 100  # images; part of the definition of the evaluation's noise: not an option
SAVE_EVERY = 10.0  # seconds of work that an interruption may cost, beside a batch
LINES = 10  # about so many, where the output is no terminal


@dataclass(frozen=True)
class Subject:
    """A trained model and its images.

    Attributes:
        folder: Of its run.
        checkpoint: Which of the folder's.
        model: On the device on which it is measured, as are the images.
        config: Of its run, every value concrete.
        splits: By name.
    """

    folder: RunFolder
    checkpoint: Path
    model: LatentVariableModel
    config: DictConfig
    splits: Mapping[str, Split]


def load_subject(path: str, cfg: DictConfig) -> Subject:
    """Rebuilds a run's model and images.

    Args:
        path: The run's folder.
        cfg: As composed from ``eval.yaml``.

    Raises:
        VaeCliError: If that can't be done.
    """
    device = _device(cfg.device)
    folder = RunFolder.existing(path, key="run")
    checkpoint = folder.best if cfg.checkpoint == "best" else folder.last
    if not checkpoint.is_file():
        rule = f"it has no {checkpoint.name} yet"
        raise ConfigError("run", path, rule, f"Try vae-train resume={path}.")
    model, config = load_model(checkpoint, cfg.trust)
    for name, value in cfg.data.items():
        if value is not None:
            if name not in config.data:
                rule = f"the run's data have no {name}"
                raise ConfigError(f"data.{name}", value, rule, "Leave it out.")
            config.data[name] = str(value)
    splits = {name: split.to(device) for name, split in build_splits(config).items()}
    return Subject(folder, checkpoint, model.to(device).eval(), config, splits)


def _device(wanted: str) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if wanted == "gpu" and not has_gpu:
        raise ConfigError("device", wanted, "torch sees no GPU here", "Try device=cpu.")
    return torch.device("cuda" if has_gpu and wanted != "cpu" else "cpu")


def evaluate(subject: Subject, cfg: DictConfig, console: Console) -> dict[str, Any]:
    """Measures a model, and writes the numbers into its run's folder.

    Args:
        subject: What to measure.
        cfg: As composed from ``eval.yaml``.
        console: Where progress is shown.

    Returns:
        The numbers, after what they depend on: split, treatment of the pixels, checkpoint and its
        hash, seed, settings. Where the folder has them for the same settings already, they are
        taken from there.

    Raises:
        TrainingError: If one of the numbers is none: the model is broken.
    """
    conditions = _conditions(subject, cfg)
    known = subject.folder.read_evaluation().get(cfg.split, {})
    if all(known.get(name) == value for name, value in conditions.items()):
        return known
    evaluation = _measure(subject, cfg, conditions, console)
    numbers: dict[str, Any] = evaluation.results([evaluation.state])
    for name, analysis in build_each(cfg, "analysis").items():
        _note(console, name.replace("_", " "))
        noise.seed_draws(subject.model.device, "analysis", cfg.seed, cfg.split, name)
        numbers |= analysis.numbers(subject.model, subject.splits, cfg.split)
    wrong = [name for name, number in numbers.items() if not math.isfinite(number)]
    if wrong:
        raise TrainingError(f"{subject.folder.path}: {wrong[0]} is not a number. Is it trained?")
    numbers["bits_per_dim"] = bits_per_dim(subject.config, numbers.get("log_likelihood"))
    record = {**conditions, "latent_dim": subject.model.latent_dim, **numbers}
    subject.folder.write_evaluation(cfg.split, record, _values(subject, cfg, evaluation.state))
    subject.folder.unfinished.unlink(missing_ok=True)
    return record


def _conditions(subject: Subject, cfg: DictConfig) -> dict[str, Any]:
    """Everything that the numbers depend on."""
    settings = OmegaConf.to_container(OmegaConf.masked_copy(cfg, ["metric", "analysis"]))
    return {
        **treatment_of(subject.config),
        "split": cfg.split,
        "images": len(subject.splits[cfg.split]),
        "checkpoint": subject.checkpoint.name,
        "checkpoint_sha256": hashlib.sha256(subject.checkpoint.read_bytes()).hexdigest(),
        "seed": cfg.seed,
        "settings": settings,
        "device": subject.model.device.type,
        "versions": {"vae-cli": vae_cli.__version__, "torch": str(torch.__version__)},
    }


def _measure(
    subject: Subject, cfg: DictConfig, conditions: Mapping[str, Any], console: Console
) -> Evaluation:
    """The metrics over the split, from where an interrupted evaluation of the same stopped."""
    split, unfinished = subject.splits[cfg.split], subject.folder.unfinished
    state = _saved_state(unfinished, conditions)
    metrics = build_each(cfg, "metric")
    evaluation = Evaluation(metrics, cfg.seed, cfg.split, keeps_values=True, state=state)
    done = state.images if state else 0
    if done:
        _note(console, f"going on after {done} images")
    saved = time.monotonic()
    batches = list(enumerate(torch.arange(len(split), device=split.device).split(BATCH)))
    for number, index in _tracked(batches[done // BATCH :], done, len(split), console):
        evaluation.add(subject.model, number, split.batch(index))
        if time.monotonic() - saved > SAVE_EVERY:
            with replaced(unfinished) as partial:
                torch.save({"conditions": conditions, **evaluation.state._asdict()}, partial)
            saved = time.monotonic()
    return evaluation


def _saved_state(path: Path, conditions: Mapping[str, Any]) -> State | None:
    if not path.is_file():
        return None
    saved = torch.load(path, map_location="cpu", weights_only=True)
    is_same = saved.pop("conditions") == conditions
    return State(**saved) if is_same else None


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
    console.print(text, highlight=False, style="dim")


def _values(subject: Subject, cfg: DictConfig, state: State) -> dict[str, np.ndarray]:
    """What is known of each image, by name, with its label."""
    names = state.kept[0]
    values = {name: torch.cat([part[name] for part in state.kept]).numpy() for name in names}
    return values | {"label": subject.splits[cfg.split].images.labels.cpu().numpy()}
