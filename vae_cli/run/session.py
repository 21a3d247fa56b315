"""One run, from what was asked for to its end: ``decide`` what to do, then ``execute`` it."""

import os
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from vae_cli.config.composition import pretrained_part
from vae_cli.config.request import Request
from vae_cli.config.trust import check_paths, concrete
from vae_cli.errors import ConfigError
from vae_cli.launch.launch import SHARED_FOLDER, Launch, clear_environment, is_first_process
from vae_cli.launch.libraries import prepare_libraries
from vae_cli.launch.meeting import Meeting
from vae_cli.run.failures import explain_failures, how_to_resume
from vae_cli.run.folder import RunFolder
from vae_cli.run.identity import identified
from vae_cli.run.plan import Join, New, Process, Resume
from vae_cli.run.processes import AUTO, FindRun, resume_word
from vae_cli.streams import ignore_output_errors
from vae_cli.training.signals import GRACE

if TYPE_CHECKING:
    from vae_cli.run.first_stage import FirstStage
    from vae_cli.training.experiment import Experiment


def decide(request: Request, process: Process, find_run: FindRun) -> New | Resume | Join:
    """Decides what a command does, and writes nothing. Only an existing run imports torch.

    Args:
        request: What was asked for.
        process: This process. The first process of a run decides, and the others ask it.
        find_run: Finds the folder that ``resume`` names.
    """
    if process.meeting.is_second:
        resumed = process.meeting.resumed()
        return Join(_resume(request, resumed) if resumed else _new(request))
    shared, word = os.environ.get(SHARED_FOLDER), resume_word(request)
    plan: New | Resume
    if word not in ("", AUTO):
        plan = _resume(request, shared or find_run("resume", word))
    else:
        plan = _new(request, needs_name=word == AUTO)
        if word == AUTO and RunFolder(plan.path).overrides.is_file():
            plan = _resume(request, plan.path)
    return Join(plan) if shared else plan


def _new(request: Request, needs_name: bool = False) -> New:
    chosen = request.without("resume")
    cfg, run_dir = chosen.compose()
    named = identified(cfg, run_dir, request.names("hydra.run.dir"), needs_name)
    return New(request, chosen, cfg, named or run_dir, named is not None)


def _resume(request: Request, path: str) -> Resume:
    folder = RunFolder.existing(path)
    from vae_cli.run.resume import resumed_config  # torch: not before there is a run

    cfg, chosen, changes = resumed_config(folder, request)
    return Resume(request, chosen, cfg, folder, changes)


def execute(plan: New | Resume | Join, process: Process) -> None:
    """Trains, once everything that can be wrong has been checked."""
    run, meeting = plan.run if isinstance(plan, Join) else plan, process.meeting
    size = process.launch.check(run.cfg.accelerator.devices, run.cfg.accelerator.nodes)
    clear_environment(process.launch, size == 1)
    stage, experiment = _build(run, process.launch)
    meeting.call(size, str(run.folder.path) if isinstance(run, Resume) else "")
    folder = _folder_of(plan, meeting)
    signals, is_first = process.signals, is_first_process()
    before = signals.last_words()
    if is_first:
        signals.last_words = lambda: how_to_resume(folder) if folder.overrides.is_file() else before
    else:
        signals.last_words = lambda: ""
    with folder.held() if is_first else nullcontext(), explain_failures(folder):
        meeting.begin(folder.path)
        if meeting.has_others:  # they agree on a stop once training starts
            signals.defer(GRACE)
        _train(run, stage, experiment, folder, process)
    signals.defer(GRACE)  # nothing is left to stop


def _folder_of(plan: New | Resume | Join, meeting: Meeting) -> RunFolder:
    if isinstance(plan, Resume):
        return plan.folder
    if isinstance(plan, Join):
        return RunFolder(os.environ.get(SHARED_FOLDER) or meeting.folder())
    return RunFolder.create(plan.path, plan.is_named)


def _build(run: New | Resume, launch: Launch) -> "tuple[FirstStage | None, Experiment]":
    """The first stage, if any, and the experiment; a resumed run keeps the parts of its data."""
    folder, cfg = run.folder if isinstance(run, Resume) else None, run.cfg.copy()
    check_paths(cfg)
    prepare_libraries()
    from vae_cli.config.build import build  # torch and all: not before it is needed
    from vae_cli.run.known_data import read_record
    from vae_cli.run.resume import keep_settled

    if folder is not None:
        keep_settled(folder, cfg)
    with _fetching(run):
        stage = _first_stage(run, cfg, launch)
        record = read_record(folder, "resume") if folder else None
        experiment = build(cfg, record, run.request.listed("metric"))
    if stage is not None and folder is None:
        stage.check_data(cfg, experiment.record)
    return stage, experiment


def _first_stage(run: New | Resume, cfg: DictConfig, launch: Launch) -> "FirstStage | None":
    """What is trained before a model of two stages; its model is written into ``cfg``."""
    part = pretrained_part(cfg)
    if part is None:
        return None
    from vae_cli.run.first_stage import FirstStage

    folder = run.folder if isinstance(run, Resume) else None
    stage = FirstStage.of(part, cfg, run.chosen, is_own=folder is None or cfg.trust)
    if stage.run is None and (launch.size or 1) > 1:
        rule = "one process has to train the first stage before others are started"
        remedy = f"Try {stage.run_key}=RUN_DIR, of a model=m1 run."
        raise ConfigError(stage.run_key, None, rule, remedy)
    if folder is None:  # earlier versions have saved such overrides
        stage.check_overrides(cfg, run.chosen)
    stage.describe(cfg, folder)
    return stage


def _fetching(run: New | Resume) -> AbstractContextManager[None]:
    """Allows downloads, except into a folder that nobody but an untrusted run names."""
    from vae_cli.data.files import reading_only

    is_own = isinstance(run, New) or run.cfg.trust or run.request.names("data.root")
    return reading_only(not is_own and run.cfg.data.get("root") is not None)


def _train(
    run: New | Resume,
    stage: "FirstStage | None",
    experiment: "Experiment",
    folder: RunFolder,
    process: Process,
) -> None:
    from vae_cli.console import make_console, print_line, print_note
    from vae_cli.run.fit import TrainingRun
    from vae_cli.run.known_data import write_record
    from vae_cli.run.resume import find_start, is_finished
    from vae_cli.run.train import train

    is_first = is_first_process()
    console = make_console(quiet=not is_first)
    note, command = partial(print_note, console), ["vae-train", *run.request.arguments]
    print_line(console, f"{'run':<10} {folder.path}")
    for text in (*(run.changes if isinstance(run, Resume) else ()), *experiment.notes):
        note(text)
    start = find_start(folder, experiment, note)
    if is_finished(experiment, folder, start):
        remedy = "Raise trainer.max_epochs or max_steps to train further."
        print_line(console, f"{folder.path} has finished and is left unchanged. {remedy}")
        return
    process.announce(experiment, console)
    if start is None and stage is None and folder.overrides.is_file():
        print_line(console, f"{folder.path} has no checkpoint yet: starting anew.")
    if start is None and stage is not None:
        stage.check_resumable(folder)
    if is_first:
        saved = concrete(run.chosen.texts, experiment.config)
        folder.describe(experiment.config, run.cfg, saved, command)
        write_record(folder, experiment.record)
    if start is None and stage is not None:
        from vae_cli.run.features import provide_features

        experiment = provide_features(stage, experiment, folder, note, process.signals)
    ignore_output_errors()  # training continues when nobody listens
    training = TrainingRun(experiment, folder, command, console, process.signals, process.began)
    process.conclude(train(training, start), folder, console)
