"""Runs on points of the plane, and what their pictures show."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from vae_cli.commands.sample import main as sample
from vae_cli.data.plane import RADII

END = ["reconstructions", "samples", "latent_map", "manifold", "vector_field"]
NOISE = 0.1  # of the corruption; a third of what parts the circles' middle from either


def numbers(run: Path, what: str, *options: str) -> dict[str, np.ndarray]:
    folder = Path("numbers", what, *options)
    assert sample([f"run={run}", f"what={what}", "format=npz", f"output={folder}", *options]) == 0
    (path,) = folder.glob("*.npz")
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize(("data", "model"), [("spiral", "vae"), ("circles", "autoencoder")])
def test_runs_as_it_is_and_is_drawn(data: str, model: str, vae_train: Callable[..., Path]) -> None:
    figures = f"figure=[{','.join(END)}]"
    run = vae_train(f"data={data}", f"model={model}", "trainer.max_steps=3", figures)
    assert {path.stem for path in (run / "figures").iterdir()} == set(END)
    config = OmegaConf.load(run / "config.yaml")
    assert config.likelihood._target_.endswith(".GaussianLikelihood")
    assert config.derived.shape == [2] and config.derived.levels is None


def test_classes_of_points_are_drawn(vae_train: Callable[..., Path]) -> None:
    names = ["styles", "style_manifold", "analogies", "confusion", "reliability", "traversals"]
    run = vae_train("data=spiral", "model=m2", "data.labels=10", "trainer.max_steps=3")
    assert sample([f"run={run}", f"what={','.join(names)}"]) == 0
    assert {path.stem for path in (run / "figures").iterdir()} == set(names)
    assert sample([f"run={run}", "what=traversals,interpolations", "format=gif"]) == 0


def test_denoising_points_to_the_circles(vae_train: Callable[..., Path]) -> None:
    run = vae_train(
        "model=denoising_autoencoder", "data=circles", "likelihood.scale=1",
        "objective.corruption=gaussian", f"objective.level={NOISE}", "network.hidden_dims=[64,64]",
        "optimizer.lr=5e-3", "optimizer/lr_schedule=cosine", "trainer.max_epochs=30",
        "trainer.validate_every=10",
    )  # fmt: skip
    arrays = numbers(run, "vector_field", "figure.vector_field.rows=40")
    x, move = arrays["x"], arrays["reconstruction"] - arrays["x"]
    radius = np.linalg.norm(x, axis=1)
    nearest = nearer(radius)
    distance = np.abs(nearest - radius)
    # Not on a circle, where there is nowhere to go, nor where the noise hardly ever leads.
    told = (distance > 0.4 * NOISE) & (distance < 1.5 * NOISE)
    wanted = ((nearest - radius) / radius)[:, None] * x
    product = (wanted * move).sum(1)
    cosine = product / np.linalg.norm(wanted, axis=1) / np.linalg.norm(move, axis=1)
    assert told.sum() > 100
    assert cosine[told].mean() > 0.85
    end = np.linalg.norm(x + move, axis=1)
    assert np.abs(nearer(end) - end)[told].mean() < 0.7 * distance[told].mean()


def nearer(radius: np.ndarray) -> np.ndarray:
    """The radius of the nearer circle."""
    outer, inner = RADII
    return np.where(radius > (outer + inner) / 2, outer, inner)


def test_samples_without_a_prior_are_drawn_from_the_codes(vae_train: Callable[..., Path]) -> None:
    run = vae_train("model=autoencoder", "trainer.max_epochs=2", "latent_dim=3")
    arrays = numbers(run, "samples", "figure.samples.rows=50", "split=train")
    z, codes = torch.from_numpy(arrays["z"]), torch.from_numpy(numbers(run, "latent_map")["z"])
    assert z.shape == (3, 2500, 3) and arrays["x"].shape == (3, 2500, 1, 8, 8)
    torch.testing.assert_close(z[0].T.cov(), torch.eye(3), atol=0.15, rtol=0)
    for fitted in z[1:]:  # the codes are of other images of the same kind
        scale = codes.std(0)
        assert ((fitted.mean(0) - codes.mean(0)) / scale).abs().max() < 0.3
        torch.testing.assert_close(fitted.std(0) / scale, torch.ones(3), atol=0.2, rtol=0)


def test_points_have_no_image_files(
    vae_train: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = vae_train("data=circles", "trainer.max_steps=3")
    assert sample([f"run={run}", "what=samples", "count=5"]) == 2
    assert "format=npz" in capsys.readouterr().err
    assert numbers(run, "samples", "count=5")["x"].shape == (5, 2)
