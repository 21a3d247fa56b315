"""What TensorBoard is given at the end of a run."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from vae_cli.files import UnsafeFile, read_yaml
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import is_number
from vae_cli.run.settings import OMITTED
from vae_cli.training.experiment import Experiment
from vae_cli.training.hyperparameters import write_hyperparameters
from vae_cli.training.projector import write_projector

JOBS = "jobs.yaml"  # beside the folders of a sweep's runs: what each was given
LARGEST_LIST = 1 << 24  # bytes of it
WITHOUT_EFFECT = OMITTED | {"hydra", "launcher", "output", "sweep", "trainer.progress"}


def write_board(
    experiment: Experiment, folder: RunFolder, results: Mapping[str, Any], step: int
) -> None:
    """Adds a finished run to the HPARAMS tab, and codes of test images to the PROJECTOR.

    Args:
        experiment: The run, with the model that was tested.
        folder: Of the run.
        results: As in ``results.json``.
        step: At which training ended.
    """
    declared = [number for metric in experiment.metrics.values() for number in metric.declares]
    keys = [f"test/{number.name}" for number in declared if "hparams" in number.tables]
    numbers = {key: results[key] for key in keys if results.get(key) is not None}
    monitor = experiment.objective.monitor
    if f"test/{monitor}" in results:
        # Among the first names, for those are the columns that the tab shows unasked.
        numbers[f"overview/{monitor}_test"] = results[f"test/{monitor}"]
    write_hyperparameters(folder.path, varied(folder), numbers, step)
    (folder.path / "hparams.yaml").unlink(missing_ok=True)  # Lightning's, and empty
    write_projector(folder.path, experiment.model, experiment.splits["test"])


def varied(folder: RunFolder) -> dict[str, str | int | float | bool]:
    """The settings that tell a run from others: what varies in its sweep, else what was chosen."""
    own = _values(folder.saved_overrides())
    jobs: Any = {}
    with suppress(UnsafeFile):
        jobs = read_yaml(folder.path.parent / JOBS, LARGEST_LIST)
    given = jobs.values() if isinstance(jobs, dict) else []
    others = [_values([*map(str, job)]) for job in given if isinstance(job, list)]
    if len(others) < 2:  # one job may be the first of a search
        return own
    return {k: v for k, v in own.items() if any(other.get(k) != v for other in others)}


def _values(overrides: Sequence[str]) -> dict[str, str | int | float | bool]:
    """Overrides by key; those that change no number are left out."""
    pairs = (text.lstrip("+~").partition("=") for text in overrides)
    return {
        key: _value(text)
        for key, _, text in pairs
        if not {key, key.partition(".")[0]} & WITHOUT_EFFECT
    }


def _value(text: str) -> str | int | float | bool:
    """A number or a truth value where a text is one."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text) if is_number(kind(text)) else text
    return text == "true" if text in ("true", "false") else text
