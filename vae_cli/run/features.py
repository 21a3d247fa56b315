"""Training the first of two stages, and taking its features over."""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from vae_cli.config.build import build_model
from vae_cli.config.request import Request
from vae_cli.data.split import Split
from vae_cli.errors import Interrupted, VaeCliError
from vae_cli.launch.launch import is_first_process
from vae_cli.metric.active_units import ActiveUnits
from vae_cli.metric.base import Evaluation
from vae_cli.model.base import Model
from vae_cli.model.codes import BATCH
from vae_cli.run.child import environment_without, train_command
from vae_cli.run.files import save_yaml
from vae_cli.run.first_stage import FirstStage
from vae_cli.run.folder import RunFolder
from vae_cli.run.pretrained import open_pretrained
from vae_cli.training.experiment import Experiment
from vae_cli.training.signals import Signals
from vae_cli.training.wish import Wish

LOOK = 0.1  # seconds between looks at whether to stop
LOOKED_AT = 10_000  # images, for which features vary


def provide_features(
    stage: FirstStage,
    experiment: Experiment,
    folder: RunFolder,
    say: Callable[[str], None],
    signals: Signals,
) -> Experiment:
    """Trains or resumes the first stage, and puts its weights into the model.

    Args:
        stage: The first stage.
        experiment: The run, of which nothing has been trained yet. The units that are modelled
            are written into its configuration, and into the folder's.
        folder: Of the run.
        say: Prints a note.
        signals: What asks the run to stop.

    Returns:
        The run with a model of the features that the first stage uses.

    Raises:
        VaeCliError: If the stage fails.
        Interrupted: If the run is to stop.
    """
    first = stage.folder(folder)
    if stage.run is None and is_first_process():
        say(f"first stage, in {first.path}: {' '.join(stage.request.texts)}")
        _train(stage.request, first, signals)
    features = open_pretrained(first, first.best, stage.run_key, stage.trust).model
    used = units_used(features, experiment.splits["train"])
    if not used:  # as after a few steps
        say("no dimension of the first stage is active: all are used as features")
        used = [*range(features.latent_dim)]
    say(f"second stage, in {folder.path}, on {len(used)} of {features.latent_dim} features")
    experiment.config.model.units = used
    if is_first_process():
        save_yaml(folder.config, experiment.config)
    model = build_model(experiment.config)
    model.get_submodule(stage.part).load_state_dict(features.state_dict())
    return replace(experiment, model=model)


def units_used(model: Model, train: Split) -> list[int]:
    """Which of a model's features are active units, of at most 10,000 images."""
    metric, name = ActiveUnits(), "active_units"
    evaluation = Evaluation({name: metric}, seed=0, split=train.name)
    for number, index in enumerate(train.spread(LOOKED_AT).split(BATCH)):
        evaluation.add(model, number, train.batch(index).to(model.device))
    active = metric.are_active(evaluation.moments([evaluation.state])[name])
    return [int(unit) for unit in active.nonzero()]


def _train(request: Request, first: RunFolder, signals: Signals) -> None:
    """Trains the first stage by a child command, which saves and stops when this run must stop."""
    flags = ["--config-dir", request.config_dir] if request.config_dir else []
    command = train_command(first.path, request.texts, flags)
    signals.defer()
    process = subprocess.Popen(command, env=environment_without(()))
    is_asked = False
    while True:
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(LOOK)
            break
        if signals.wish is Wish.STOP and not is_asked:
            process.terminate()
            is_asked = True
    if code == Interrupted.exit_code:
        signals.stop(signals.last_words())
    signals.stop_at_once()
    if code == VaeCliError.exit_code:
        raise VaeCliError("")  # the first stage has printed its line
    if code != 0:
        raise VaeCliError(f"{first.path}: the first stage has failed, with exit code {code}.")
