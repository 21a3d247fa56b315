"""Tiny runs of every model, made once and copied from then on."""

import shutil
from pathlib import Path

import strange_run

from vae_cli.commands.eval import main as vae_eval
from vae_cli.commands.finetune import main as vae_finetune
from vae_cli.commands.train import main as vae_train

TINY = [
    "data=digits", "network.hidden_dims=[4]", "latent_dim=2", "trainer.max_steps=2",
    "trainer.progress=false", "accelerator=cpu", "logger=csv", "trainer.log_every=1", "figure=[]",
]  # fmt: skip
AUTOENCODER = ["metric=[reconstruction_error]"]
SETTINGS = {  # of each model, by the name of its run
    "vae": ["posterior=planar", "posterior.flow_length=1", "figure=[samples]"],
    "planar": ["model=flow", "posterior.flow_length=1"],
    "radial": ["model=flow", "posterior=radial", "posterior.flow_length=1"],
    "gaussian": ["likelihood=gaussian", "data.dequantize=true"],
    "ppca": ["model=ppca"],
    "factor_analysis": ["model=factor_analysis"],
    "autoencoder": ["model=autoencoder", *AUTOENCODER],
    "contractive": ["model=contractive_autoencoder", *AUTOENCODER],
    "denoising": ["model=denoising_autoencoder", *AUTOENCODER],
    "sparse": ["model=sparse_autoencoder", *AUTOENCODER],
    "m1": ["model=m1", "data.labels=50"],
    "m2": ["model=m2", "data.labels=50"],
}  # fmt: skip
AUTOENCODERS = ("autoencoder", "contractive", "denoising", "sparse")
STAGES = ["model=m1_m2", "data.labels=50"]
DATA = ["metric=[active_units]"]


def make(name: str, folder: Path) -> Path:
    """A finished run, its folder called after the model."""
    run = folder / name
    settings = STAGES if name == "m1_m2" else SETTINGS[name]
    chosen = [*TINY, *([] if "metric=" in "".join(settings) else DATA), *settings]
    if name == "m1_m2":
        chosen.append(f"model.m1={folder / 'm1'}")
    each = {text.partition("=")[0]: text for text in chosen}  # the last value of each key
    if vae_train([*each.values(), f"hydra.run.dir={run}"]) != 0:
        raise RuntimeError(f"no run of {name}")
    if name == "m1_m2":
        _take_in(run, folder / "m1")
    return run


def complete(run: Path) -> None:
    """Adds the files that other commands leave in a run's folder."""
    metric = "reconstruction_error" if run.name in AUTOENCODERS else "active_units"
    measured = ["samples=2", "analysis=[]", f"metric=[{metric}]"]
    if vae_eval([f"run={run}", *measured]) or vae_finetune([f"run={run}", "labels=10", "steps=1"]):
        raise RuntimeError(f"{run} cannot be measured")


def _take_in(run: Path, first: Path) -> None:
    """Makes the first stage the run's own, as one that was trained with it: that takes seconds."""
    shutil.copytree(first, run / "m1")
    strange = strange_run.StrangeRun(run, run)
    strange.everywhere(strange_run.put("model.m1", None))
    texts = (run / "overrides.yaml").read_text().splitlines()
    (run / "overrides.yaml").write_text("\n".join(t for t in texts if "model.m1=" not in t) + "\n")
