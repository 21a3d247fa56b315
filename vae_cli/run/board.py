"""What TensorBoard is given at the end of a run."""

from collections.abc import Mapping
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from vae_cli.config.build import Experiment
from vae_cli.run.folder import RunFolder
from vae_cli.training.hyperparameters import write_hyperparameters
from vae_cli.training.projector import write_projector

HEADLINES = (
    "test/elbo", "test/log_likelihood", "test/kl", "test/reconstruction", "test/active_units",
    "test/bits_per_dim",
)  # fmt: skip
OMITTED = {"model", "derived", "metric", "figure", "logger", "resume"}  # no settings, or implied


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
    write_hyperparameters(folder.path, settings(experiment.config), numbers, step)
    (folder.path / "hparams.yaml").unlink(missing_ok=True)  # Lightning's, and empty
    write_projector(folder.path, experiment.model, experiment.splits["test"])


def settings(config: DictConfig) -> dict[str, Any]:
    """What was or could have been chosen, by dotted keys.

    A group's own key tells which class it is: ``posterior: PlanarPosterior``; that of the data,
    which set.
    """
    plain = cast(dict[str, Any], OmegaConf.to_container(config))
    data = {k: v for k, v in plain["data"].items() if k not in ("suggests", "name")}
    name = plain["data"].get("name") or data["_target_"].split(".")[-2]
    plain["data"] = {**data, "_target_": name}
    flat: dict[str, Any] = {}

    def visit(key: str, node: Any) -> None:
        if isinstance(node, Mapping):
            for name, child in node.items():
                visit(f"{key}.{name}".removesuffix("._target_"), child)
        elif node is not None and not key.endswith("_partial_"):
            flat[key] = node if isinstance(node, (bool, int, float, str)) else str(node)

    for name in plain.keys() - OMITTED:
        visit(name, plain[name])
    for group in ("accelerator", "trainer"):  # of one class each
        flat.pop(group)
    return {
        k: v.rpartition(".")[2] if isinstance(v, str) and k in plain else v for k, v in flat.items()
    }
