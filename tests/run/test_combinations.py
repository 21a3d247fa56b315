"""Everything goes with everything: a few steps of each."""

import json
import math
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

NETWORKS = {
    "mlp": "network=mlp network.hidden_dims=[16]",
    "conv": "network=conv network.channels=[4,8] network.hidden_dim=16",
    "gated_conv": "network=gated_conv network.channels=[4,8] network.strides=[1,2]",
    "linear": "network=linear",
}
# Each posterior with each network, either with each likelihood, and an option of a run with each.
OPTIONS = [
    "optimizer=adamax", "optimizer=adagrad", "optimizer=rmsprop", "optimizer/lr_schedule=cosine",
    "optimizer/lr_schedule=exponential", "optimizer/lr_schedule=multistep", "kl_schedule=linear",
    "kl_schedule=cyclical", "kl_schedule=rezende", "kl_schedule.weight=4",
    "trainer.gradient_clip=0.1", "objective.samples=3",
]  # fmt: skip
MODELS = [
    f"posterior={posterior} likelihood={('bernoulli', 'gaussian')[(i + j) % 2]} {network}"
    for (i, posterior), (j, network) in product(
        enumerate(("diagonal", "planar", "radial")), enumerate(NETWORKS.values())
    )
]
GREY = "model=ppca likelihood=gaussian"
OTHERS = [
    "model=flow posterior=radial",
    *(f"objective.tempering=joint objective.closed_form_kl=false posterior={p}"
      for p in ("diagonal", "planar", "radial")),
    "objective.closed_form_kl=false data.binarize=static",
    "data.binarize=threshold trainer.log_every=2 trainer.validate_every=3",
    "data.encode=grey",
    "likelihood=gaussian data.dequantize=true likelihood.scale=shared",
    "likelihood=gaussian likelihood.scale=0.1 likelihood.mean=sigmoid",
    *(f"{GREY} likelihood.scale={s}" for s in ("shared", "0.1")),
    f"{GREY} accelerator.precision=bf16-mixed",
    *(f"{GREY} posterior={p}" for p in ("diagonal", "radial")),
    f"{GREY} objective.samples=3 latent_dim=70",
    "model=factor_analysis likelihood=gaussian data.dequantize=true",
    "model=factor_analysis likelihood=gaussian posterior=planar network=conv",
    "network.activation=tanh network.hidden_dims=[] trainer.fast_dev_run=true",
    "deterministic=true latent_dim=1 data.batch_size=1437 seed=9007199254740993",
]  # fmt: skip
AUTOENCODERS = [
    f"model=autoencoder likelihood=bernoulli {NETWORKS['gated_conv']}",
    "model=autoencoder likelihood=gaussian likelihood.scale=1 network=linear",
    *(f"model=contractive_autoencoder likelihood={('bernoulli', 'gaussian')[i % 2]} {network}"
      for i, network in enumerate(NETWORKS.values())),
    "model=sparse_autoencoder",
    "model=denoising_autoencoder",
    *(f"model=denoising_autoencoder likelihood=gaussian objective.corruption={corruption}"
      for corruption in ("gaussian", "salt_and_pepper")),
    "model=contractive_autoencoder accelerator.precision=bf16-mixed latent_dim=3",
    "model=autoencoder objective=sparse objective.sparsity_weight=0 trainer.fast_dev_run=true",
]  # fmt: skip
METRICS = "metric=[active_units,kl_per_dimension,log_likelihood] metric.log_likelihood.samples=2"


@pytest.mark.parametrize("overrides", [*map(" ".join, zip(MODELS, OPTIONS, strict=True)), *OTHERS])
def test_runs(overrides: str, vae_train: Callable[..., Path]) -> None:
    folder = vae_train("trainer.max_steps=3", *METRICS.split(), *overrides.split())
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    difference = results["test/reconstruction"] - results["test/kl"]
    assert results["test/elbo"] == pytest.approx(difference, rel=1e-6)
    assert all(math.isfinite(v) for k, v in results.items() if k.startswith("test/") and v)
    assert results["train/steps"] == (5 if "fast_dev_run" in overrides else 3)
    is_density = "gaussian" in overrides and "dequantize" not in overrides
    assert (results["test/bits_per_dim"] is None) == is_density


@pytest.mark.parametrize("overrides", AUTOENCODERS)
def test_autoencoders_run(overrides: str, vae_train: Callable[..., Path]) -> None:
    metrics = "metric=[reconstruction_error,scale_at_bound]"
    folder = vae_train("trainer.max_steps=3", metrics, "logger=csv", *overrides.split())
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    tested = {k: v for k, v in results.items() if k.startswith("test/") and v is not None}
    monitor = "denoising" if "model=denoising" in overrides else "reconstruction"
    assert {f"test/{monitor}", "test/reconstruction_error"} <= tested.keys()
    assert all(math.isfinite(v) for v in tested.values())
    absent = ("elbo", "kl", "log_likelihood", "bits_per_dim", "active_units")
    assert not any(f"test/{name}" in tested for name in absent)
    head = (folder / "metrics.csv").read_text().splitlines()[0].split(",")
    assert f"validation/{monitor}" in head and "train/weight" not in head


@pytest.mark.parametrize("logger", ["csv", "none", "tensorboard"])
def test_loggers(logger: str, vae_train: Callable[..., Path]) -> None:
    folder = vae_train("trainer.max_steps=3", f"logger={logger}")
    extra = {p.name.partition(".")[0] for p in folder.iterdir() if p.is_file()}
    extra -= {"config", "composed", "overrides", "command", "environment", "data", "results"}
    extra -= {"lock"}
    files = {"csv": {"metrics"}, "none": set(), "tensorboard": {"events", "projector_config"}}
    assert extra == files[logger]
    if logger == "csv":
        head = (folder / "metrics.csv").read_text().splitlines()[0].split(",")
        assert {"step", "train/loss", "validation/elbo"} <= set(head)
