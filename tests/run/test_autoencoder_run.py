"""Autoencoders from the command line to their results."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vae_cli.config.build import build
from vae_cli.run.checkpoint import load_model
from vae_cli.training.checkpoint_file import read_checkpoint

Train = Callable[..., Path]
KINDS = ("sparse", "denoising", "contractive")
FACTORS = 3  # the fourth direction has a variance far enough from the third


def results_of(run: Path) -> dict[str, float]:
    return json.loads((run / "results.json").read_text(encoding="utf-8"))


def test_a_linear_autoencoder_finds_the_plane_of_pca(vae_train: Train) -> None:
    run = vae_train(
        "model=autoencoder", "network=linear", "likelihood=gaussian", "likelihood.scale=1",
        f"latent_dim={FACTORS}", "trainer.max_epochs=60", "trainer.validate_every=10",
        "optimizer.lr=3e-2", "optimizer/lr_schedule=cosine", "metric=[reconstruction_error]",
    )  # fmt: skip
    model, config = load_model(run / "checkpoints" / "last.ckpt")
    splits = build(config).splits
    train, test = (
        splits[part].batch(torch.arange(len(splits[part]))).x.flatten(1).double().numpy()
        for part in ("train", "test")
    )
    pca = PCA(FACTORS, svd_solver="full").fit(train)
    weight = model.decoder.layers[0].weight.detach().double().numpy()  # (pixels, FACTORS)
    angles = np.rad2deg(subspace_angles(weight, pca.components_.T))
    assert angles.max() < 1
    # The encoder is PCA's as far as images tell: of directions in which they hardly differ it knows
    # nothing, and what comes back of test images is near what PCA gives back.
    with torch.no_grad():
        x = torch.from_numpy(test).float().view(-1, 1, 8, 8)
        returned = model.decode(model.encoder(x)).mean.flatten(1).double().numpy()
    projected = pca.inverse_transform(pca.transform(test))
    best = np.square(test - projected).sum(1).mean()
    assert np.square(returned - projected).sum(1).mean() < 0.02 * best
    tested = results_of(run)["test/reconstruction_error"]
    assert tested == pytest.approx(best, rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_ends_with_the_same_weights(kind: str, vae_train: Train) -> None:
    model = (f"model={kind}_autoencoder", "network.hidden_dims=[8]", "data.batch_size=100")
    whole = vae_train(*model, "trainer.max_steps=30", name="whole")
    half = vae_train(*model, "trainer.max_steps=17", name="half")
    vae_train(f"resume={half}", "trainer.max_steps=30")
    weights = [
        read_checkpoint(run / "checkpoints" / "last.ckpt")["state_dict"] for run in (whole, half)
    ]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    tested = [
        {key: value for key, value in results_of(run).items() if key.startswith("test/")}
        for run in (whole, half)
    ]
    assert tested[0] and tested[0] == tested[1]


@pytest.mark.parametrize(
    ("kind", "penalty"),
    [("sparse", "image_l1"), ("contractive", "image_jacobian_norm")],
)
def test_a_penalty_makes_small_what_it_is_of(kind: str, penalty: str, vae_train: Train) -> None:
    model = (
        f"model={kind}_autoencoder", "trainer.max_epochs=15", "network.hidden_dims=[32]",
        "latent_dim=10",
    )  # fmt: skip
    option = {"sparse": "sparsity_weight", "contractive": "contraction_weight"}[kind]
    found = {
        weight: results_of(vae_train(*model, f"objective.{option}={weight}", name=f"w{weight}"))
        for weight in (0, 3)
    }
    assert found[3][f"test/{penalty}"] < 0.5 * found[0][f"test/{penalty}"]
    assert found[3]["test/reconstruction"] < found[0]["test/reconstruction"]


def test_best_and_patience_go_by_the_objective(vae_train: Train) -> None:
    run = vae_train(
        "model=denoising_autoencoder", "trainer.max_epochs=40", "trainer.patience=2",
        "optimizer.lr=0.03", "network.hidden_dims=[64]",
    )  # fmt: skip
    results = results_of(run)
    assert results["train/epochs"] < 40
    state = read_checkpoint(run / "checkpoints" / "last.ckpt")["callbacks"]
    assert state["Checkpoints"]["best"] == results["validation/denoising"]


def test_pictures_of_the_end(vae_train: Train) -> None:
    figures = "figure=[reconstructions,samples,latent_map,manifold,styles]"
    run = vae_train("model=autoencoder", "trainer.max_epochs=1", figures)
    drawn = {path.stem for path in (run / "figures").iterdir()}
    assert {"reconstructions", "latent_map", "manifold"} <= drawn and "styles" not in drawn


def test_the_dashboard_shows_codes_and_no_weight(vae_train: Train) -> None:
    run = vae_train("model=sparse_autoencoder", "trainer.max_steps=60", "logger=tensorboard")
    logged = EventAccumulator(str(run), {"images": 0}).Reload()
    scalars, histograms = (set(logged.Tags()[kind]) for kind in ("scalars", "histograms"))
    assert histograms == {"validation_code/dimension_0", "validation_code/dimension_1"}
    assert {"train/code_l1", "train/sparsity_weight", "validation/code_l1"} <= scalars
    assert "overview/reconstruction_test" in scalars
    assert not {"train/weight", "train/kl"} & scalars
