"""A compiled loss: the same draws, the same numbers within rounding, and no traceback."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch._dynamo.exc import TorchDynamoException
from torch._inductor.config import patch

from vae_cli import noise
from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.errors import ConfigError, InvalidOption, TrainingError
from vae_cli.training.compilation import CompiledLoss, check_compile, compiled

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def traced_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the half minute in which C++ is compiled: tracing is what may go wrong here."""
    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", lambda loss, options: compile_(loss, backend="aot_eager"))


@pytest.mark.parametrize(
    "overrides",
    ["posterior=planar posterior.flow_length=2", "model=denoising_autoencoder"],
)
def test_a_compiled_loss_is_the_loss(overrides: str) -> None:
    experiment = build(compose("train", [*overrides.split(), "trainer.compile=true"])[0])
    model, players = experiment.model, experiment.objective.players(experiment.model)
    batch = experiment.splits["train"].batch(torch.arange(50), noise.generator("cpu", "test"))
    for weight in (0.1, 0.25, 1.0):  # a schedule's
        found = []
        for player in (*players, *compiled(players)):
            model.zero_grad()
            with noise.stream(CPU, "test", weight):
                loss, reported = player.loss(model, batch, weight)
            loss.backward()
            gradients = [p.grad.norm() for p in model.parameters() if p.grad is not None]
            means = [value.nanmean() for value in reported.values()]
            found.append(torch.stack([loss, *means, *gradients]).detach())
        torch.testing.assert_close(found[1], found[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["contractive", "sparse"])
def test_a_loss_with_a_derivative_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^trainer.compile=true: .* derivative .*=false\.$"):
        build(compose("train", [f"model={name}_autoencoder", "trainer.compile=true"])[0])


def test_no_compiler_is_refused() -> None:
    experiment = build(compose("train", [])[0])
    with (
        patch({"cpp.cxx": ("/nonexistent",)}),
        pytest.raises(InvalidOption, match="needs a C\\+\\+ compiler"),
    ):
        check_compile(experiment.objective)


def test_what_torch_cannot_compile_is_an_error_of_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*given: object) -> None:
        raise TorchDynamoException("no\nway")

    loss = CompiledLoss(lambda *given: None)
    monkeypatch.setattr(loss, "_compiled", fails)
    with pytest.raises(TrainingError, match=r"can't compile the loss \(no way\)\. Try trainer"):
        loss(None, None, 1.0)


@needs_compiler
def test_a_run_may_be_compiled(vae_train: Callable[..., Path]) -> None:
    runs = [
        vae_train("trainer.max_steps=3", f"trainer.compile={value}", name=value)
        for value in ("true", "false")
    ]
    first, second = (
        json.loads((run / "results.json").read_text(encoding="utf-8"))["test/elbo"] for run in runs
    )
    assert first == pytest.approx(second, rel=1e-5)
