"""What TensorBoard is given at the end of a run."""

from collections.abc import Mapping
from typing import Any

from vae_cli.config.build import Experiment
from vae_cli.run.folder import RunFolder
from vae_cli.run.settings import plain, settings
from vae_cli.training.hyperparameters import write_hyperparameters
from vae_cli.training.projector import write_projector

HEADLINES = (
    "test/elbo", "test/log_likelihood", "test/kl", "test/reconstruction", "test/denoising",
    "test/active_units",
    "test/bits_per_dim", "test/error", "test/log_likelihood_bias", "test/effective_sample_size",
    "test/high_pareto_shape",
)  # fmt: skip


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
    numbers = {key: results[key] for key in HEADLINES if results.get(key) is not None}
    monitor = experiment.objective.monitor
    if f"test/{monitor}" in results:
        # Among the first names, for those are the columns that the tab shows unasked.
        numbers[f"overview/{monitor}_test"] = results[f"test/{monitor}"]
    write_hyperparameters(folder.path, settings(plain(experiment.config)), numbers, step)
    (folder.path / "hparams.yaml").unlink(missing_ok=True)  # Lightning's, and empty
    write_projector(folder.path, experiment.model, experiment.splits["test"])
