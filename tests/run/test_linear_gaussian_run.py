"""Training arrives at the maximum of the likelihood, which other ways than gradients find."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, FactorAnalysis

from vae_cli.config.build import build
from vae_cli.data.batch import Batch
from vae_cli.model.evidence import exact_log_likelihood
from vae_cli.run.checkpoint import load_model

QUICK = ["optimizer.lr=3e-2", "optimizer/lr_schedule=cosine", "trainer.validate_every=10"]
FIGURES = "figure=[reconstructions,samples,latent_map,manifold]"
FACTORS = 5


class Trained(NamedTuple):
    evidence: dict[str, float]  # mean log p(x) of train and test images, nats
    pixels: dict[str, np.ndarray]  # the same images, flat


def trained(run: Path, name: str = "last") -> Trained:
    model, config = load_model(run / "checkpoints" / f"{name}.ckpt")
    evidence, pixels = {}, {}
    for part, split in build(config).splits.items():
        batch = split.batch(torch.arange(len(split)))
        double = Batch(batch.x.double(), batch.input.double(), batch.y, batch.index)
        with torch.no_grad():
            found = exact_log_likelihood(model.double(), double)
        evidence[part], pixels[part] = found.mean().item(), double.x.flatten(1).numpy()
    return Trained(evidence, pixels)


def test_ppca_is_scikit_learns_pca(vae_train: Callable[..., Path]) -> None:
    size = f"latent_dim={FACTORS}"
    run = vae_train("model=ppca", "data=digits", size, "trainer.max_epochs=40", *QUICK)
    evidence, pixels = trained(run)
    pca = PCA(FACTORS, svd_solver="full").fit(pixels["train"])
    best = pca.score(pixels["train"])
    assert best - 0.05 < evidence["train"] < best + 1e-3  # its covariance is the unbiased one
    assert evidence["test"] == pytest.approx(pca.score(pixels["test"]), abs=0.1)


def test_factor_analysis_is_scikit_learns(vae_train: Callable[..., Path]) -> None:
    # Noise in the pixels, the same in each epoch, so that none of them is constant: the
    # likelihood has a maximum then.
    noise = np.random.default_rng(0).uniform(size=(1797, 8, 8))
    np.save("digits.npy", ((load_digits().images + noise) / 17).astype(np.float32))
    data = ["data=array", "data.path=digits.npy", f"latent_dim={FACTORS}", "data.batch_size=64"]
    run = vae_train("model=factor_analysis", *data, "trainer.max_epochs=60", *QUICK)
    evidence, pixels = trained(run)
    factors = FactorAnalysis(FACTORS, tol=1e-6, max_iter=10_000, svd_method="lapack")
    factors.fit(pixels["train"])
    best = factors.score(pixels["train"])
    assert best - 0.1 < evidence["train"] < best + 1e-3
    assert evidence["test"] == pytest.approx(factors.score(pixels["test"]), abs=0.15)


def test_results_are_the_evidence(vae_train: Callable[..., Path]) -> None:
    metrics = ["metric=[active_units,kl_per_dimension,log_likelihood]"]
    metrics += ["metric.log_likelihood.samples=3"]
    run = vae_train("model=ppca", "trainer.max_epochs=10", *QUICK, *metrics, FIGURES)
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    expected = trained(run, "best").evidence["test"]
    assert results["test/elbo"] == pytest.approx(expected, abs=1e-3)
    assert results["test/log_likelihood"] == pytest.approx(expected, abs=1e-3)
    assert results["test/active_units"] == 2
    assert not any("kl_per_dimension" in key for key in results)
    names = {path.stem for path in (run / "figures").iterdir()}
    assert names == {"reconstructions", "samples", "latent_map", "manifold"}


@pytest.mark.parametrize("posterior", ["diagonal", "planar"])
def test_an_approximate_posterior_stays_below(
    posterior: str, vae_train: Callable[..., Path]
) -> None:
    choice = ["model=ppca", f"posterior={posterior}", "network.hidden_dims=[32]"]
    run = vae_train(*choice, "trainer.max_epochs=10", "optimizer.lr=1e-2")
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert results["test/elbo"] < trained(run, "best").evidence["test"]
