"""One run, from what was chosen to its end."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from vae_cli.commands.entry import prepare_libraries
from vae_cli.commands.launched import meet
from vae_cli.commands.runs import find_run
from vae_cli.config.compose import compose
from vae_cli.config.trust import check_paths, concrete
from vae_cli.errors import ConfigError, Interrupted, VaeCliError, shell_word
from vae_cli.launch.launch import SHARED_FOLDER, Launch, clear_environment, is_first_process
from vae_cli.launch.meeting import Meeting
from vae_cli.run.folder import RunFolder
from vae_cli.run.identity import identified
from vae_cli.streams import ignore_output_errors
from vae_cli.training.signals import GRACE, Signals

if TYPE_CHECKING:
    from vae_cli.data.record import Record
    from vae_cli.run.features import FirstStage
    from vae_cli.training.experiment import Experiment


def one_run(
    signals: Signals,
    meeting: Meeting,
    config_name: str,
    overrides: list[str],
    config_dir: str | None,
    command: list[str],
) -> int:
    """Trains a run, or goes on with one. All that can be wrong is found out before it has a folder.

    Args:
        signals: What asks the run to save, or to stop.
        meeting: With the run's other processes.
        config_name, overrides, config_dir: What was chosen.
        command: The command line, for the record.

    Returns:
        The exit code.

    Raises:
        VaeCliError: With one line for the user.
    """
    began = time.perf_counter()
    chosen = [text for text in overrides if not text.startswith("resume=")]
    resumed = next((t.partition("=")[2] for t in reversed(overrides) if t not in chosen), "null")
    if is_first_process():  # which the others ask
        resumed = _resumed_run(resumed)
    launch = meet(meeting, config_name, chosen, config_dir, resumed)
    resumed = meeting.resumed() if meeting.is_second else _resumed_run(resumed)
    if resumed in ("", "null", "auto"):
        cfg, run_dir = compose(config_name, chosen, config_dir)
        is_named = any(text.startswith("hydra.run.dir=") for text in chosen)
        known = identified(cfg, run_dir, is_named, resumed == "auto")
        is_there = known is not None and RunFolder(known).overrides.is_file()
        resumed = str(known) if resumed == "auto" and is_there else ""
    folder, changes = None, list[str]()
    if resumed:
        from vae_cli.run.resume import keep_settled, resumed_config

        folder = RunFolder.existing(resumed)
        cfg, chosen, changes = resumed_config(folder, config_name, chosen, config_dir)
    size = launch.check(cfg.accelerator.devices, cfg.accelerator.nodes)
    clear_environment(launch, size == 1)
    composed = cfg.copy()
    if folder is not None:
        keep_settled(folder, cfg)
    with _fetching(cfg, folder, overrides):
        stage = _first_stage(cfg, chosen, config_dir, folder, launch)
        experiment = _build(cfg, folder)
    if stage is not None and folder is None:
        _check_stage(cfg, stage, experiment.record)
    meeting.call(size, resumed)
    if meeting.is_second:
        folder = RunFolder(meeting.folder())
    elif folder is None:
        shared = os.environ.get(SHARED_FOLDER)
        new = (known or run_dir, known is not None)
        folder = RunFolder(shared) if shared else RunFolder.create(*new)
    _execute(experiment, composed, folder, chosen, command, signals, changes, meeting, stage, began)
    signals.defer(GRACE)  # nothing is left that could be stopped
    return 0


def _resumed_run(word: str) -> str:
    """The folder that ``resume=`` names; ``null`` and ``auto`` stay as they are."""
    if word in ("", "null", "auto"):
        return word
    return os.environ.get(SHARED_FOLDER) or find_run("resume", word)


def _execute(
    experiment: "Experiment",
    composed: DictConfig,
    folder: RunFolder,
    overrides: Sequence[str],
    command: Sequence[str],
    signals: Signals,
    changes: Sequence[str],
    meeting: Meeting,
    stage: "FirstStage | None",
    began: float,
) -> None:
    from vae_cli.console import make_console, print_line
    from vae_cli.run.features import check_begun
    from vae_cli.run.first_stage import provide_features
    from vae_cli.run.fit import Job, say
    from vae_cli.run.known_data import write_record
    from vae_cli.run.resume import find_start, is_finished
    from vae_cli.run.train import train
    from vae_cli.terminal.summary import print_lines, print_summary, print_warning

    is_first = is_first_process()
    console = make_console(quiet=not is_first)
    before = signals.last_words()
    signals.last_words = lambda: _how_to_resume(folder) if folder.overrides.is_file() else before
    if not is_first:
        signals.last_words = lambda: ""
    with folder.held() if is_first else nullcontext(), _told(folder):
        meeting.begin(folder.path)
        if meeting.has_others:  # they agree on a stop once training starts
            signals.defer(GRACE)
        print_line(console, f"{'run':<10} {folder.path}")
        for note in (*changes, *experiment.notes):
            say(console, note)
        print_lines(experiment.inferred, console)
        for doubt in experiment.doubts:
            print_warning(doubt, console)
        start = find_start(folder, experiment, partial(say, console))
        if is_finished(experiment, folder, start):
            if is_first:
                remedy = "Raise trainer.max_epochs or max_steps to go on."
                print_line(console, f"{folder.path} has finished, and stays as it is. {remedy}")
            return
        if start is None and stage is None and folder.overrides.is_file() and is_first:
            print_line(console, f"{folder.path} has no checkpoint yet: starting anew.")
        if start is None and stage is not None:
            check_begun(stage, folder)
        if is_first:
            saved = concrete(overrides, experiment.config)
            folder.describe(experiment.config, composed, saved, command)
            write_record(folder, experiment.record)
        if start is None and stage is not None:
            experiment = provide_features(experiment, stage, folder, partial(say, console), signals)
        ignore_output_errors()  # training goes on when nobody listens
        results = train(Job(experiment, folder, command, console, signals, began), start)
        print_summary(results, folder, console)


def _how_to_resume(folder: RunFolder) -> str:
    return f"stopped. Go on with vae-train resume={shell_word(folder.path)}"


@contextmanager
def _told(folder: RunFolder) -> Iterator[None]:
    """Tells in one line what stops a run that is no mistake of its settings."""
    from vae_cli.run.fit import LOST
    from vae_cli.training.checkpoint_file import CheckpointError

    remedy = f"vae-train resume={shell_word(folder.path)}"
    hook, threading.excepthook = threading.excepthook, lambda _: None  # they fail in what waits too
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:  # the latter is Lightning's for the former
        raise Interrupted(_how_to_resume(folder)) from stop
    except (OSError, CheckpointError) as error:
        if not folder.path.is_dir():
            raise VaeCliError(f"{folder.path}: the folder is gone, and with it the run") from error
        if isinstance(error, CheckpointError):
            raise
        where, what = os.fsdecode(error.filename or folder.path), error.strerror or error
        raise VaeCliError(f"{where}: {what}. Put that right, then go on with {remedy}") from error
    except RuntimeError as error:
        if not any(word in str(error) for word in LOST):
            raise
        rule = "another process of the run has ended"
        raise VaeCliError(f"{folder.path}: {rule}. Go on with {remedy}") from error
    finally:
        threading.excepthook = hook


def _first_stage(
    cfg: DictConfig,
    overrides: list[str],
    config_dir: str | None,
    folder: RunFolder | None,
    launch: Launch,
) -> "FirstStage | None":
    """How a model of two stages has its first one, which the configuration then describes."""
    if "m1" not in cfg.model:
        return None
    prepare_libraries()
    from vae_cli.run.features import check_said, describe_features, first_stage

    if cfg.model.m1 is None and (launch.size or 1) > 1:
        rule = "one process has to train the first stage before others are started"
        raise ConfigError("model.m1", None, rule, "Try model.m1=RUN_DIR, of a model=m1 run.")
    is_own = folder is None or cfg.trust
    stage = first_stage(cfg, overrides, config_dir, is_own)
    if folder is None:  # earlier versions started runs that say it
        check_said(cfg, overrides)
    describe_features(cfg, stage, folder)
    return stage


def _check_stage(cfg: DictConfig, stage: "FirstStage", record: "Record") -> None:
    from vae_cli.run.features import check_features

    check_features(cfg, stage, record)


def _build(cfg: DictConfig, folder: RunFolder | None) -> "Experiment":
    """What is to be trained; a run that is resumed keeps the parts of its data."""
    check_paths(cfg)
    prepare_libraries()
    from vae_cli.config.build import build  # torch and all: not before it is needed
    from vae_cli.run.known_data import read_record

    return build(cfg, read_record(folder, "resume") if folder else None)


def _fetching(
    cfg: DictConfig, folder: RunFolder | None, overrides: Sequence[str]
) -> AbstractContextManager[None]:
    """Lets data be fetched, but not into a folder that only a run's folder names."""
    from vae_cli.data.files import reading_only

    is_own = folder is None or cfg.trust or any(t.startswith("data.root=") for t in overrides)
    return reading_only(not is_own and cfg.data.get("root") is not None)
