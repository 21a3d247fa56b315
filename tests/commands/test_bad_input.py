"""Every mistake is reported in one line with key, value and remedy; nothing is written."""

import os
import socket
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from vae_cli.commands.train import main
from vae_cli.config.compose import check_again, compose
from vae_cli.errors import ConfigError


class Bad(NamedTuple):
    arguments: str  # separated by blanks
    said: list[str]  # parts of the message


def is_required(key: str, choice: str) -> Bad:
    return Bad(f"{choice} ~{key}", [f"~{key}: {key} is required. "])


SIZES = [  # every size there is, and what else the command line must say for it to be there
    ("latent_dim", ""), ("data.batch_size", ""), ("trainer.max_epochs", ""),
    ("trainer.max_steps", ""), ("trainer.patience", ""), ("trainer.validate_every", ""),
    ("trainer.log_every", ""), ("posterior.flow_length", "posterior=planar"),
    ("posterior.flow_length", "posterior=radial"), ("network.hidden_dim", "network=conv"),
    ("network.hidden_dim", "network=gated_conv"),
    ("objective.samples", ""), ("objective.samples", "model=m2"),
    ("metric.classification.bins", ""), ("metric.confusion.classes", ""),
    ("kl_schedule.warmup_steps", "kl_schedule=linear"),
    ("kl_schedule.cycle_steps", "kl_schedule=cyclical"),
    ("kl_schedule.cycles", "kl_schedule=cyclical"),
    ("accelerator.nodes", ""), ("accelerator.devices", ""), ("metric.log_likelihood.samples", ""),
    ("metric.active_units.samples", ""), ("figure.samples.rows", ""), ("figure.manifold.rows", ""),
    ("figure.reconstructions.count", ""), ("figure.latent_map.count", ""),
    ("figure.flow.count", "figure=[flow]"), ("figure.flow.panels", "figure=[flow]"),
    ("figure.flow.draws", "figure=[flow]"), ("figure.inpaint.count", "figure=[inpaint]"),
    ("figure.inpaint.steps", "figure=[inpaint]"), ("figure.denoise.count", "figure=[denoise]"),
    ("figure.denoise.steps", "figure=[denoise]"),
    ("figure.vector_field.rows", ""), ("figure.vector_field.count", ""),
    ("figure.samples.components", ""),
    ("figure.posterior_predictive.count", "figure=[posterior_predictive]"),
    ("figure.posterior_predictive.draws", "figure=[posterior_predictive]"),
    ("figure.posterior_predictive.samples", "figure=[posterior_predictive]"),
    ("data.labels", ""), ("data.size", "data=omniglot"), ("data.size", "data=image_folder"),
]  # fmt: skip
REQUIRED = [  # keys, and what else the command line must say for them to be there
    ("trainer.max_epochs", ""), ("trainer", ""), ("network", ""), ("seed", ""), ("trust", ""),
    ("optimizer.lr_schedule.gamma", "optimizer/lr_schedule=exponential"), ("data._target_", ""),
    ("data.suggests", ""), ("metric.active_units._target_", "metric=[active_units]"),
    ("hydra.run.dir", ""), ("hydra", ""), ("model.latent_dim", ""), ("data.name", "data=mnist"),
]  # fmt: skip
TOO_LONG = [  # their middle is left out
    "LONG", "LONG=1", "~LONG", "seed=LONG", "seed=[LONG", "data=LONG", "--LONG", "--cfg LONG",
    "--config-name LONG", "--config-dir LONG", "hydra.run.dir=LONG", "resume=LONG", "run_id=LONG",
    "latent_dim=${LONG}", "latent_dim=${oc.env:LONG}", "hydra.run.LONG=1",
    "data=mnist data.root=LONG",
]  # fmt: skip
ARRAY, FOLDER = "data=array likelihood=gaussian", "data=image_folder"
TABLE = [
    # options and keys
    Bad("posterior=planer", ["posterior=planer", "no such option", "posterior=planar?"]),
    Bad("data=minst", ["data=minst", "data=mnist?"]),
    Bad("experiment=nope", ["experiment=nope", "digits_flow"]),
    Bad("metric=[log_likelihod]", ["metric=log_likelihod", "log_likelihood"]),
    Bad("optimizer.l=0.1", ["optimizer.l=0.1", "no such key", "optimizer.lr=0.1?"]),
    Bad(
        "posterior.flow_length=3",
        ["posterior.flow_length=3", "posterior=planar and", "=radial"],
    ),
    Bad("+posterior.foo=3", ["posterior.foo=3", "no such key"]),
    Bad("++model._target_=vae_cli.Nope", ["model._target_=vae_cli.Nope", "no such class"]),
    Bad("kl_schedule.warmup=3 kl_schedule=linear", ["kl_schedule.warmup=3", "kl_schedule.warmup_"]),
    # what does not go with a model
    Bad("model=autoencoder objective=elbo", ["objective=", "a model with a prior", "=reconstruc"]),
    Bad("model=vae objective=sparse", ["objective=", "needs an autoencoder", "objective=elbo"]),
    Bad("model=m2 objective=denoising", ["objective=", "ignores labels"]),
    Bad("model=autoencoder posterior=planar", ["posterior=", "is not used by an autoencoder"]),
    Bad("model=autoencoder prior=standard", ["prior=", "is not used by an autoencoder"]),
    Bad("model=autoencoder kl_schedule=linear", ["kl_schedule=", "no KL", "Leave it out"]),
    Bad("kl_schedule=null", ["kl_schedule=null", "no such option"]),
    Bad("model=autoencoder metric=[active_units]", ["metric=active_units", "with a prior"]),
    Bad("metric=[reconstruction]", ["metric=reconstruction", "needs an autoencoder"]),
    Bad("metric=[classification]", ["metric=classification", "needs a model that predicts labels"]),
    Bad("model=autoencoder objective.level=0.1", ["objective.level=0.1", "objective=denoising"]),
    Bad("model=denoising_autoencoder objective.level=2", ["objective.level=2", "a share", "=0.25"]),
    Bad("model=denoising_autoencoder objective.corruption=blur", ["corruption=blur", "gaussian"]),
    Bad(
        "model=denoising_autoencoder objective.corruption=gausian",
        ["mean objective.corruption=gaussian?"],
    ),
    Bad("model=sparse_autoencoder objective.sparsity_weight=-1", ["sparsity_weight=-1", "least 0"]),
    Bad("model=contractive_autoencoder objective.contraction_weight=-1", ["=-1", "at least 0"]),
    # types
    Bad("latent_dim=two", ["latent_dim=two", "whole number", "Try latent_dim=2"]),
    Bad("latent_dim=2.5", ["latent_dim=2.5", "whole number"]),
    Bad("seed=-1", ["seed=-1", "at least 0"]),
    Bad("seed=null", ["seed=null", "Try seed=0"]),
    Bad("optimizer.lr=fast", ["optimizer.lr=fast", "number above 0", "Try optimizer.lr=0.001"]),
    Bad("optimizer.lr=0", ["optimizer.lr=0", "above 0"]),
    Bad("optimizer.lr=nan", ["optimizer.lr=nan", "above 0"]),
    Bad("optimizer.betas=[0.9]", ["optimizer.betas=[0.9]", "a list of 2"]),
    Bad("optimizer.betas=[2,3]", ["optimizer.betas=[2,3]", "below 1"]),
    Bad("deterministic=maybe", ["deterministic=maybe", "true or false"]),
    Bad("network.hidden_dims=[64,0]", ["network.hidden_dims=[64,0]", "at least 1"]),
    Bad("network.hidden_dims=64", ["network.hidden_dims=64", "a list"]),
    Bad("network.activation=rleu", ["network.activation=rleu", "relu"]),
    Bad("network=conv network.channels=[0]", ["network.channels=[0]", "at least 1"]),
    Bad(
        "network=gated_conv network.channels=[8,8]",
        ["network.strides=[1,2,1,2,1]", "needs 2 numbers"],
    ),
    Bad(
        "optimizer/lr_schedule=multistep optimizer.lr_schedule.milestones=null",
        ["milestones=null", "steps, or of epochs", "milestones_epochs=[10]"],
    ),
    Bad(
        "optimizer/lr_schedule=multistep optimizer.lr_schedule.milestones_epochs=3",
        ["milestones_epochs=3", "a list, each a number above 0"],
    ),
    Bad("likelihood=gaussian likelihood.mean=tanh", ["likelihood.mean=tanh", "identity, sigmoid"]),
    Bad("trainer.gradient_clip=0", ["trainer.gradient_clip=0", "above 0"]),
    Bad("objective.tempering=both", ["objective.tempering=both", "kl, joint"]),
    Bad("data.binarize=maybe", ["data.binarize=maybe", "dynamic", "Try data.binarize=auto"]),
    Bad("likelihood=gaussian likelihood.scale=0", ["likelihood.scale=0", "learned", "above 0"]),
    Bad("metric.active_units.threshold=-1", ["metric.active_units.threshold=-1"]),
    Bad("figure.latent_map.projection=lda", ["projection=lda", "pca, tsne, umap"]),
    Bad("figure=[inpaint] figure.inpaint.mask=middle", ["mask=middle", "left, right, top, bottom"]),
    Bad("figure=[inpaint] figure.inpaint.fraction=2", ["fraction=2", "above 0", "at most 1"]),
    Bad("figure=[denoise] figure.denoise.level=0", ["figure.denoise.level=0", "above 0"]),
    Bad("kl_schedule.weight=-1", ["kl_schedule.weight=-1", "at least 0"]),
    Bad("kl_schedule=linear kl_schedule.warmup_epochs=0", ["kl_schedule.warmup_epochs=0"]),
    Bad("latent_dim=-3", ["latent_dim=-3", "needs", "at least 1"]),
    Bad("figure=[flow] figure.flow.count=0", ["figure.flow.count=0", "needs", "at least 1"]),
    # what this machine has not
    Bad("accelerator=gpu", ["accelerator.kind=gpu", "no GPU", "Try accelerator=cpu"]),
    Bad("accelerator=ddp", ["accelerator.kind=gpu", "no GPU", "Try accelerator=cpu"]),
    Bad("accelerator.precision=16-mixed", ["accelerator.precision=16-mixed", "a GPU", "bf16"]),
    Bad(
        "accelerator.matmul_precision=low",
        ["accelerator.matmul_precision=low", "highest, high, medium"],
    ),
    Bad("accelerator.precision=64", ["accelerator.precision=64", "32-true, bf16-mixed, 16-mixed"]),
    Bad("accelerator.devices=[]", ["accelerator.devices=[]"]),
    # what does not go together
    Bad("data.encode=gray", ["data.encode=gray", "modelled, grey", "mean data.encode=grey?"]),
    Bad("data.binarize=none", ["data.binarize=none", "binary values", "likelihood=gaussian"]),
    Bad("objective=semi_supervised", ["objective=semi_supervised", "semi-supervised model", "Try"]),
    Bad("model=m2 objective=elbo", ["ignores labels", "Try objective=semi_supervised"]),
    Bad("model=m2 model.classes=5", ["model.classes=5", "the number of classes is 10"]),
    Bad("model=m2 data.labels=20 objective.train_images=20", ["train_images=20", "is 1437"]),
    Bad("model=m2 data.labels=20 objective.labelled_images=9", ["labelled_images=9", "is 20"]),
    Bad(f"model=m2 {ARRAY} data.path=3d.npy", ["data=", "the set has no labels"]),
    Bad("model=m2 objective.classification_weight=-1", ["classification_weight=-1", "at least 0"]),
    Bad("model=m2 data.labels=9", ["data.labels=9", "one for each of the 10", "data.labels=10"]),
    Bad("model=m2 data.batch_size=1 data.labels=20", ["data.batch_size=1", "at least 2"]),
    Bad("posterior=exact", ["posterior=exact", "no formula", "Try posterior=diagonal"]),
    Bad(
        "model=ppca likelihood=bernoulli",
        ["likelihood=bernoulli", "Try likelihood=gaussian"],
    ),
    Bad("model=ppca model.noise=both", ["model.noise=both", "shared, per_pixel"]),
    Bad(
        "model=factor_analysis likelihood.scale=shared",
        ["likelihood.scale=shared", "Try likelihood.scale=learned, or model=ppca"],
    ),
    Bad("model=factor_analysis latent_dim=0", ["latent_dim=0", "at least 1"]),
    Bad("model=ppca posterior=planar posterior.flow_length=0", ["posterior.flow_length=0"]),
    Bad("data.dequantize=true", ["data.dequantize=true", "Try likelihood=gaussian"]),
    Bad("data.batch_size=2000", ["data.batch_size=2000", "only 1437", "data.batch_size=1437"]),
    Bad(
        "accelerator=ddp_cpu data.batch_size=63",
        ["data.batch_size=63", "among 2 processes", "Try data.batch_size=62"],
    ),
    Bad("data.labels=5", ["data.labels=5", "each of the 10 classes", "Try data.labels=10"]),
    Bad("data.labels=2000", ["data.labels=2000", "only 1437", "keeps all"]),
    Bad("data.labels=1437", ["data.labels=1437", "class 0 has only 135", "Try data.labels=1350"]),
    Bad(f"{ARRAY} data.path=3d.npy data.labels=9", ["data.labels=9", "the set has no labels"]),
    Bad("data=3d.npy", ["data=3d.npy", "Did you mean data=array data.path=3d.npy?"]),
    Bad("kl_schedule.warmup_steps=9", ["belongs to kl_schedule=linear and kl_schedule=rezende."]),
    Bad(f"{ARRAY} data.path=3d.npy data.test=0", ["data.test=0: leaves no test images"]),
    Bad(
        f"{ARRAY} data.path=far.npz data.labels=900",
        ["data.labels=900", "only 80 training images have a label"],
    ),
    Bad("data.label_seed=-1", ["data.label_seed=-1", "at least 0"]),
    Bad("data.labels=some", ["data.labels=some", "a whole number"]),
    Bad("data=frey_faces data.lables=9", ["data.lables=9", "Did you mean data.labels=9?"]),
    Bad("derived.classes=3", ["derived.classes=3", "Leave it out"]),
    Bad("trainer.max_epochs=null", ["trainer.max_steps=null", "trainer.max_epochs=10"]),
    Bad("objective.tempering=joint", ["objective.closed_form_kl=true", "closed_form_kl=false"]),
    Bad(
        "kl_schedule=linear kl_schedule.warmup_epochs=null",
        ["kl_schedule.warmup_steps=null", "steps, or of epochs", "Try"],
    ),
    Bad("data=spiral likelihood=bernoulli", ["likelihood=bernoulli", "0 to 1", "gaussian"]),
    Bad(f"{ARRAY} data.path=3d.npy data.binarize=static", ["data.binarize=static", "0 to 1"]),
    Bad("metric=[log_likelihood,importance_sampling]", ["metric=", "both measure log_likelihood"]),
    Bad(
        "posterior=[planar,radial]",
        ["posterior=[planar,radial]", "one option", "posterior=planar."],
    ),
    Bad("optimizer/lr_schedule=[cosine,exponential]", ["optimizer/lr_schedule=[", "one option"]),
    Bad("network.condition_dim=3", ["network.condition_dim=3", "no such key"]),
    Bad("+network.condition_dim=3", ["network.condition_dim=3", "a size", "Leave it out"]),
    Bad("model=m2 +network.condition_dim=3", ["network.condition_dim=3", "Leave it out"]),
    Bad("++network.in_shape=[1,8,8]", ["network.in_shape=[1,8,8]", "Leave it out"]),
    Bad("+posterior.latent_dim=7", ["posterior.latent_dim=7", "Leave it out"]),
    Bad("~network._partial_", ["network._partial_=null", "must be true"]),
    Bad("likelihood._partial_=maybe", ["likelihood._partial_=maybe", "true or false"]),
    Bad("~data.binarize", ["~data.binarize: data.binarize is required"]),
    # required keys that are deleted
    *(is_required(key, choice) for key, choice in REQUIRED),
    Bad("~seed=1", ["~seed=1: seed is 0", "Try ~seed"]),
    Bad("~data.labels", ["~data.labels: data.labels is null already"]),
    Bad("~nope", ["~nope: there is no such key"]),
    Bad("-m seed=0,1 ~sweep.params", ["~sweep.params: sweep.params is required"]),
    # numbers that no machine has, or that float32 does not hold
    Bad(f"trainer.max_steps={2**63 - 1}", [f"trainer.max_steps={2**63 - 1}", "at most "]),
    Bad("network.hidden_dims=[2147483647,2147483647]", ["hidden_dims=[2147483647,2147483647]"]),
    Bad("network=gated_conv network.strides=[1,2147483647,1,2,1]", ["at most 1000"]),
    Bad("kl_schedule=linear kl_schedule.warmup_epochs=1e308", ["warmup_epochs=1e+308", "at most"]),
    Bad("kl_schedule.weight=1e308", ["kl_schedule.weight=1e+308", "infinite in float32"]),
    Bad("optimizer.lr=1e-308", ["optimizer.lr=1e-308", "is 0 in float32", "Try optimizer.lr="]),
    Bad("optimizer.eps=0", ["optimizer.eps=0", "above 0", "Try 1e-8"]),
    Bad("optimizer.betas=[1,1]", ["optimizer.betas=[1,1]", "below 1"]),
    Bad("optimizer.weight_decay=inf", ["optimizer.weight_decay=inf", "at least 0"]),
    Bad("latent_dim=1e400", ["latent_dim=inf", "a whole number"]),
    Bad(f"latent_dim={'9' * 5000}", ["latent_dim=999", "…"]),
    # references
    Bad("seed=${now:}", ["seed=${now:}", "after the colon"]),
    Bad("trainer.max_epochs=${...x}", ["trainer.max_epochs=${...x}", "there is no key x"]),
    Bad("latent_dim=${oc.deprecated:seed}", ["latent_dim=${oc.deprecated:seed}", "not available"]),
    Bad("latent_dim=${oc.create:[1]}", ["latent_dim=${oc.create:[1]}", "not available"]),
    Bad("latent_dim=${nope:1}", ["latent_dim=${nope:1}", "something unknown"]),
    Bad("latent_dim=${derived.x}", ["latent_dim=${derived.x}", "no key derived.x"]),
    Bad("trainer.max_epochs=${derived.steps_per_epoch}", ["trainer.max_epochs=", "not known yet"]),
    Bad("hydra.run.dir=${nope}", ["hydra.run.dir=${nope}", "no key nope"]),
    Bad("hydra.run.dir=null", ["hydra.run.dir=null", "not a value"]),
    # what is too long to be read
    *(Bad(text.replace("LONG", "x" * 5000), ["…"]) for text in TOO_LONG),
    # flags
    Bad("--completion csh", ["--completion", "bash, zsh, fish"]),
    Bad("--cfg job --info", ["--cfg and --info", "do not go together"]),
    Bad("--cfg all --resolve", ["--resolve", "goes with --cfg job"]),
    Bad("--cfg job seed=0,1", ["seed=0,1", "-m"]),
    # what is larger than the machine
    Bad(
        "latent_dim=1000000000", ["latent_dim=1000000000", "weights takes", "of memory here", "Try"]
    ),
    Bad("network.hidden_dims=[99999999,9]", ["network.hidden_dims=[99999999,9]", "of memory here"]),
    Bad("objective.samples=900000000", ["objective.samples=900000000", "one step of training"]),
    Bad(
        "posterior=planar posterior.flow_length=900000000",
        ["posterior.flow_length=", "memory here"],
    ),
    Bad(f"seed={10**30}", ["seed=1000", "63 bits", "Try seed=0"]),
    Bad("figure.samples.rows=1000", ["figure.samples.rows=1000", "at most 100"]),
    Bad("metric.log_likelihood.samples=10000000000", ["samples=10000000000", "at most 1000000000"]),
    # what Hydra itself trips over
    Bad("prior=[null,1]", ["prior="]),
    Bad(f"latent_dim={'[' * 200}{']' * 200}", ["latent_dim="]),
    Bad("optimizer.lr=a\x00b", ["optimizer.lr=a\\x00b"]),
    Bad("model.shape=${.nope}", ["model.shape=${.nope}", "no key nope"]),
    Bad("latent_dim=${oc.env:NOPE}", ["latent_dim=${oc.env:NOPE}", "NOPE"]),
    Bad("derived=text", ["derived=text", "Leave it out"]),
    Bad("model.shape=''", ["model.shape=", "the shape of the data is [1, 8, 8]"]),
    Bad("--package=nope", ["--package", "need --cfg"]),
    Bad("--resolve", ["--resolve", "need --cfg"]),
    Bad("--info=nope", ["--info", "nope"]),
    Bad("--cfg job --package=nope", ["nope"]),
    Bad("--config-name=model/vae", ["seed is required"]),
    Bad("--config-dir own optimizer=nothing", ["optimizer=", "nothing to build"]),
    Bad("--config-dir own kl_schedule=elsewhere", ["kl_schedule is required"]),
    Bad("--config-dir laughs", ["laughs.yaml", "more than 100000 values"]),
    # files
    Bad("resume=nowhere", ["resume=nowhere", "no such folder"]),
    Bad("resume=empty", ["resume=empty", "not the folder of a run"]),
    Bad(ARRAY, ["data.path=null", "Try"]),
    Bad(f"{ARRAY} data.path=gone.npy", ["data.path=gone.npy"]),
    Bad(f"{ARRAY} data.path=text.npy", ["data.path=text.npy"]),
    Bad(f"{ARRAY} data.path=5d.npy", ["data.", "5d.npy"]),
    Bad(f"{ARRAY} data.path=nan.npy", ["data.path=nan.npy"]),
    Bad(f"{ARRAY} data.path=3d.npy data.shape=[1,7,7]", ["data.shape=[1,7,7]"]),
    Bad(f"{FOLDER}", ["data.root=null", "Try data.root=my_images"]),
    Bad(f"{FOLDER} data.root=gone", ["data.root=gone", "not a folder"]),
    Bad(f"{FOLDER} data.root=empty", ["data.root=empty", "no images", ".png"]),
    Bad(f"{FOLDER} data.root=corrupt", ["data.root=corrupt", "can't be read", "Repair or remove"]),
    Bad("data=circles data.noise=-1", ["data.noise=-1", "at least 0"]),
    Bad(
        "data=mnist data.root=empty",
        ["data.root=empty", "Put", "train-images-idx3-ubyte.gz", "empty/MNIST/raw"],
    ),
    Bad("hydra.run.dir=empty/../text.npy", ["hydra.run.dir=", "text.npy"]),
    Bad("hydra.run.dir=corrupt", ["hydra.run.dir=corrupt", "is there already"]),
    # the command line itself
    Bad("--nope", ["--nope", "unrecognized", "--help"]),
    Bad("-x", ["-x", "unrecognized", "--help"]),
    Bad("--seed=3", ["--seed 3", "without dashes", "Try seed=3."]),
    Bad("seed", ["seed", "key=value"]),
    Bad("=3", ["=3"]),
    Bad("latent_dim='2", ["latent_dim='2", "quotes"]),
    Bad("seed=0,1", ["seed=0,1"]),
    Bad("data=digits,mnist", ["data=digits,mnist", "-m"]),
    Bad("latent_dim=${latent_dim}", ["latent_dim=${latent_dim}", "refers to itself"]),
    Bad("latent_dim=${seed} seed=${latent_dim}", ["=${", "refers to itself"]),
    Bad("latent_dim=${nope}", ["nope"]),
    Bad("hydra.foo=1", ["hydra.foo=1: there is no such key. There are callbacks, "]),
    Bad("hydra.ouput_subdir=x", ["hydra.ouput_subdir=x: ", "you mean hydra.output_subdir?"]),
    Bad("hydra.runn.dir=x", ["hydra.runn.dir=x: there is no such key. Did you mean hydra.run?"]),
    Bad("hydra.job.env_set.A=1", ["no such key. Try +hydra.job.env_set.A=1."]),
    # keys given twice
    Bad("seed=1 seed=2", ["seed=1 seed=2: seed is given more than once. Leave one out."]),
    Bad("model=vae model=flow", ["model=vae model=flow: model is given more than once."]),
    Bad("~seed latent_dim=3 ++seed=2", ["~seed ++seed=2: seed is given more than once."]),
    Bad("+seed=1 seed=2", ["+seed=1 seed=2: seed is given more than once."]),
    Bad("-m seed=1 seed=1,2", ["seed=1 seed=1,2: seed is given more than once."]),
    Bad("~figure", ["figure"]),
    Bad("data=null", ["data"]),
    Bad("model=null", ["model"]),
    Bad("figure=null", ["figure"]),
    Bad("--config-dir gone", ["--config-dir=gone", "no such folder"]),
    Bad("--config-name gone", ["gone"]),
    Bad("--cfg job latent_dim=two", ["latent_dim=two"]),
    Bad("-m data=nope", ["data", "nope"]),
    Bad("-m seed", ["seed"]),
    Bad("--cfg nope", ["--cfg", "nope"]),
    Bad("--config-dir", ["--config-dir"]),
    Bad("accelerator.devices=[0,0]", ["accelerator.devices=[0,0]"]),
    Bad("accelerator=cpu accelerator.devices=[1]", ["accelerator.devices=[1]"]),
    Bad("+logger.foo=3 logger=none", ["logger.foo=3"]),
    Bad("++data._target_=os.system", ["os.system"]),
    Bad("network.activation=[relu]", ["network.activation=[relu]", "2 hidden layers"]),
    Bad("optimizer=rmsprop optimizer.momentum=-1", ["optimizer", "momentum", "-1"]),
    Bad(
        "optimizer/lr_schedule=multistep optimizer.lr_schedule.milestones=abc trainer.max_steps=1",
        ["optimizer.lr_schedule.milestones=abc"],
    ),
]


def listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((p.as_posix(), p.is_file() and p.lstat().st_mtime_ns) for p in folder.rglob("*"))


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all kinds of useless files."""
    folder = tmp_path_factory.mktemp("work")
    generator = np.random.default_rng(0)
    np.save(folder / "3d.npy", 5 * generator.standard_normal((200, 6, 6)))
    labels = np.where(np.arange(200) % 2, 1_000_000, -1)
    np.savez(folder / "far.npz", images=np.zeros((200, 6, 6)), labels=labels)
    np.save(folder / "5d.npy", np.zeros((200, 2, 2, 2, 2), np.float32))
    np.save(folder / "nan.npy", np.full((200, 6, 6), np.nan))
    (folder / "text.npy").write_text("not an array")
    (folder / "empty").mkdir()
    (folder / "corrupt").mkdir()
    (folder / "own" / "optimizer").mkdir(parents=True)
    (folder / "own" / "optimizer" / "nothing.yaml").touch()
    (folder / "own" / "kl_schedule").mkdir()
    content = "# @package _global_\nlatent_dim: 3\n"
    (folder / "own" / "kl_schedule" / "elsewhere.yaml").write_text(content)
    (folder / "laughs").mkdir()
    lines = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (folder / "laughs" / "laughs.yaml").write_text("\n".join(["a0: &a0 [x, x]", *lines]))
    for i in range(30):
        Image.new("L", (6, 6)).save(folder / "corrupt" / f"{i}.png")
    whole = (folder / "corrupt" / "7.png").read_bytes()
    (folder / "corrupt" / "7.png").write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither network nor GPU, nor anything of the user's."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError("there is no network in tests")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    for name in ("VAE_CLI_CONF", "VAE_CLI_DATA", "VAE_CLI_RUN_FOLDER"):
        monkeypatch.delenv(name, raising=False)


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    mistakes = [line for line in message.splitlines() if not line.startswith("note: read ")]
    assert len(mistakes) == 1 and len(message) < 1400
    return message


@pytest.mark.parametrize("bad", TABLE, ids=[bad.arguments.strip()[:80] for bad in TABLE])
def test_is_reported(
    bad: Bad, workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workplace)
    before = listing(workplace)
    message = told(bad.arguments.split(), capsys)
    for part in bad.said:
        assert part in message
    assert listing(workplace) == before


@pytest.mark.parametrize("extra", sorted({extra for _, extra in SIZES}))
def test_every_size_has_bounds(extra: str) -> None:
    cfg, _ = compose("train", extra.split())
    for key in (key for key, own in SIZES if own == extra):
        for value, rule in ((0, "at least "), (2**63 - 1, "at most ")):
            wrong = cfg.copy()
            OmegaConf.update(wrong, key, value)
            with pytest.raises(ConfigError, match=f"^{key}={value}: .*{rule}"):
                check_again(wrong)


def test_unwritable_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outputs").touch()
    message = told([], capsys)
    assert "hydra.run.dir=outputs" in message and "Try hydra.run.dir=" in message
    assert os.listdir(tmp_path) == ["outputs"]  # noqa: PTH208


def test_unreadable_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("locked.npy", np.zeros((50, 4, 4)))
    (tmp_path / "locked.npy").chmod(0)
    if os.access("locked.npy", os.R_OK):
        pytest.skip("this user may read everything")
    assert "data.path=locked.npy" in told(["data=array", "data.path=locked.npy"], capsys)
