"""Mixed precision costs no more of the bound than noise, and leaves densities alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.metric.base import Evaluation
from vae_cli.run.checkpoint import load_model
from vae_cli.run.folder import RunFolder
from vae_cli.training import module
from vae_cli.training.data_module import EVALUATION_BATCH
from vae_cli.training.module import TrainingModule
from vae_cli.training.precision import changes_products


def test_bf16_reaches_the_bound_of_float32(vae_train: Callable[..., Path]) -> None:
    setting = ("trainer.max_epochs=8", "network.hidden_dims=[64]", "posterior=planar")

    def run(precision: str) -> dict[str, Any]:
        folder = vae_train(*setting, f"accelerator.precision={precision}", name=precision)
        return json.loads((folder / "results.json").read_text(encoding="utf-8"))

    full, mixed = run("32-true"), run("bf16-mixed")
    # Both are about the same images and draws; over those alone the bound has this error, and
    # two trainings differ by less than two draws of the test set would.
    noise = (full["test/elbo_se"] ** 2 + mixed["test/elbo_se"] ** 2) ** 0.5
    assert abs(full["test/elbo"] - mixed["test/elbo"]) < 2 * noise
    assert full["test/elbo"] > -30  # it did learn: the start is at -44
    # Validations are in float32, as the test is, whatever the steps are in.
    model, config = load_model(RunFolder("bf16-mixed").best)
    experiment = build(config)
    evaluation, split = Evaluation(experiment.metrics, 0, "validation"), experiment.splits
    for number, index in enumerate(torch.arange(180).split(EVALUATION_BATCH)):
        evaluation.add(model.eval(), number, split["validation"].batch(index))
    found = evaluation.results([evaluation.state])["elbo"]
    assert mixed["validation/elbo"] == pytest.approx(found, rel=1e-6)


def test_densities_stay_in_float32() -> None:
    for posterior in ("diagonal", "planar", "radial"):
        for likelihood in ("bernoulli", "gaussian"):
            overrides = [f"posterior={posterior}", f"likelihood={likelihood}"]
            experiment = build(compose("train", overrides)[0])
            batch = experiment.splits["train"].batch(torch.arange(4), torch.Generator())
            with torch.autocast("cpu", torch.bfloat16):
                terms = experiment.model.terms(batch, 2, closed_form_kl=True)
                loss, reported = experiment.objective(experiment.model, batch, 1.0)
            assert {term.dtype for term in terms} == {torch.float32}
            assert loss.dtype == torch.float32
            assert {value.dtype for value in reported.values()} == {torch.float32}


@pytest.mark.parametrize("precision", ["highest", "medium"])
def test_products_have_their_precision_in_training_steps_alone(
    precision: str, vae_train: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, set[str]] = {"step": set(), "validation": set()}
    add, loss = Evaluation.add, TrainingModule._loss

    def watched_add(self: Evaluation, *given: Any) -> None:
        seen["validation"].add(torch.get_float32_matmul_precision())
        add(self, *given)

    def watched_loss(self: TrainingModule, *given: Any) -> Any:
        seen["step"].add(torch.get_float32_matmul_precision())
        return loss(self, *given)

    monkeypatch.setattr(Evaluation, "add", watched_add)
    monkeypatch.setattr(TrainingModule, "_loss", watched_loss)
    vae_train("trainer.max_steps=3", f"accelerator.matmul_precision={precision}")
    assert seen == {"step": {precision}, "validation": {"highest"}}


def test_a_precision_that_changes_nothing_is_reported(
    vae_train: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for changes in (True, False):
        monkeypatch.setattr(module, "changes_products", lambda *_, value=changes: value)
        vae_train("trainer.max_steps=3", "accelerator.matmul_precision=medium", name=str(changes))
        text = "matmul_precision=medium: changes nothing on this device"
        assert (text in "".join(capsys.readouterr())) is not changes


def test_the_highest_precision_is_that_of_float32() -> None:
    assert not changes_products("highest", torch.device("cpu"))
