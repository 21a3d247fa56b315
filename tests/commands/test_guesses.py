"""A key or an option by another name is answered with the words to write, and those compose."""

import importlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from vae_cli.config.compose import compose, vocabulary
from vae_cli.config.guess import option_for, words_for
from vae_cli.config.synonyms import MEANT, squeezed
from vae_cli.config.vocabulary import Vocabulary

COMMANDS = ("train", "eval", "sample", "finetune", "export", "flow", "report", "compare")


class Row(NamedTuple):
    command: str
    chosen: str  # options, separated by blanks
    typed: str
    answer: str  # as the shell takes it


KEYS = [
    *(
        Row("train", "", typed, answer)
        for typed, answer in {
            "lr=0.1": "optimizer.lr=0.1",
            "learning_rate=0.1": "optimizer.lr=0.1",
            "trainer.lr=0.1": "optimizer.lr=0.1",
            "optmizer.lr=0.1": "optimizer.lr=0.1",
            "args.learning-rate=0.1": "optimizer.lr=0.1",
            "lr=0.1,0.01": "optimizer.lr=0.1,0.01",
            "beta=4": "kl_schedule.weight=4",
            "model.kld_weight=4": "kl_schedule.weight=4",
            "hidden_dims=[10]": "'network.hidden_dims=[10]'",
            "hidden_dims=10": "'network.hidden_dims=[10]'",
            "model.hidden_dims=[10]": "'network.hidden_dims=[10]'",
            "layers=400,200": "'network.hidden_dims=[400,200]'",
            "epochs=3": "trainer.max_epochs=3",
            "maxEpochs=3": "trainer.max_epochs=3",
            "num-epochs=3": "trainer.max_epochs=3",
            "trainer.epochs=3": "trainer.max_epochs=3",
            "steps=3": "trainer.max_steps=3",
            "batch_size=32": "data.batch_size=32",
            "trainer.batch_size=32": "data.batch_size=32",
            "batchsize=32": "data.batch_size=32",
            "lr_schedule=cosine": "optimizer/lr_schedule=cosine",
            "optimizer.lr_schedule=cosine": "optimizer/lr_schedule=cosine",
            "scheduler=CosineAnnealingLR": "optimizer/lr_schedule=cosine",
            "gamma=0.9": "optimizer/lr_schedule=exponential optimizer.lr_schedule.gamma=0.9",
            "z_dim=3": "latent_dim=3",
            "latent=3": "latent_dim=3",
            "latent_dims=3": "latent_dim=3",
            "Latent_Dim=3": "latent_dim=3",
            "model.latent_size=3": "latent_dim=3",
            "gpus=2": "accelerator.devices=2",
            "device=cuda": "accelerator=gpu",
            "device=cpu": "accelerator=cpu",
            "precision=16-mixed": "accelerator.precision=16-mixed",
            "dataset=MNIST": "data=mnist",
            "encoder=cnn": "network=conv",
            "model.network=conv": "network=conv",
            "loss=bce": "likelihood=bernoulli",
            "n_flows=4": "posterior=planar posterior.flow_length=4",
            "posterior.flow_length=4": "posterior=planar posterior.flow_length=4",
            "warmup=20": "kl_schedule=linear kl_schedule.warmup_epochs=20",
            "sigma=0.1": "likelihood=gaussian likelihood.scale=0.1",
            "random_seed=1": "seed=1",
            "output=x": "hydra.run.dir=x",
            "default_root_dir=x": "hydra.run.dir=x",
            "ckpt_path=x": "resume=x",
            "run=x": "resume=x",
            "run_name=x": "run_id=x",
            "early_stopping_patience=5": "trainer.patience=5",
            "gradient_clip_val=1": "trainer.gradient_clip=1",
            "wd=0.1": "optimizer.weight_decay=0.1",
        }.items()
    ),
    Row("train", "data=mnist", "data.path=x", "data.root=x"),
    Row("train", "data=mnist", "data_dir=x", "data.root=x"),
    Row("train", "data=array", "data.root=x", "data.path=x"),
    Row("train", "data=image_folder", "img_size=32", "data.size=32"),
    Row("train", "data=circles", "data.path=x", "data=array data.path=x"),
    Row("train", "network=conv", "hidden_dim=10", "network.hidden_dim=10"),
    Row("eval", "", "n_samples=10", "samples=10"),
    Row("eval", "", "gpus=1", "device=gpu"),
    Row("eval", "", "accelerator=cpu", "device=cpu"),
    Row("eval", "", "ckpt_path=x", "run=x"),
    Row("eval", "", "data_dir=x", "data.root=x"),
    Row("eval", "", "metrics=[active_units]", "'metric=[active_units]'"),
    Row("sample", "", "n=10", "count=10"),
    Row("sample", "", "picture=samples", "what=samples"),
    Row("sample", "", "ext=pdf", "format=pdf"),
    Row("sample", "", "temperature=0.5", "figure.samples.temperature=0.5"),
    Row("finetune", "", "learning_rate=0.1", "lr=0.1"),
    Row("finetune", "", "num_labels=10", "labels=10"),
    Row("finetune", "", "epochs=3", "steps=5000"),
    Row("flow", "", "K=3", "'lengths=[3]'"),
    Row("flow", "", "iters=3", "steps=3"),
    Row("flow", "", "out_dir=x", "output=x"),
    Row("export", "", "to=x", "output=x"),
    *(Row(c, "", "out=x", "output=x") for c in ("sample", "export", "flow", "compare", "report")),
    Row("compare", "", "metric=elbo", "'metrics=[elbo]'"),
    Row("report", "", "runs=x", "run=x"),
]
OPTIONS = {
    "data=MNIST": "data=mnist", "data=Fashion-MNIST": "data=fashion_mnist",
    "data=minst": "data=mnist",
    "data=cifar": "data=cifar10", "model=VAE": "model=vae", "model=planar": "posterior=planar",
    "model=ae": "model=autoencoder", "model=beta_vae": "kl_schedule.weight=4",
    "network=CNN": "network=conv", "posterior=gaussian": "posterior=diagonal",
    "prior=normal": "prior=standard", "likelihood=mse": "likelihood=gaussian",
    "optimizer=Adam": "optimizer=adam", "kl_schedule=none": "kl_schedule=constant",
    "logger=false": "logger=none", "metric=none": "metric=[]",
    "launcher=slurm": "launcher=submitit_slurm",
    "accelerator=cuda": "accelerator=gpu", "data=Conv": "network=conv", "data=nothing_like_it": "",
}  # fmt: skip
SAID = {  # command lines, and the end of what is said
    "train lr=0.1": "lr=0.1: there is no such key. Did you mean optimizer.lr=0.1?",
    "train +lr=0.1": "there is no such key. Did you mean optimizer.lr=0.1?",
    "train -m lr=0.1,1": "there is no such key. Did you mean optimizer.lr=0.1,1?",
    "train ~lr": "~lr: there is no such key. Did you mean ~optimizer.lr?",
    "train +data=mnist": "+data=mnist: is there already. Leave out the +: data=mnist.",
    "train optimizer.lr_schedule=cosine": "Did you mean optimizer/lr_schedule=cosine?",
    "train model=autoencoder beta=4": "beta=4: there is no kl_schedule here. Leave it out.",
    "train data=MNIST": "data=MNIST: there is no such option. Did you mean data=mnist?",
    "train metric=[elbow,Active_Units,codes]": "There are active_units, classification, codes,",
    "train metric=[Active_Units,codes]": "Did you mean metric=[active_units,codes]?",
    "train lr 0.1": "is not of the form key=value. Did you mean optimizer.lr=0.1?",
    "train lr= 0.1": "is not of the form key=value. Did you mean optimizer.lr=0.1?",
    "train data:MNIST": "Did you mean data=mnist?",
    "train help": "Did you mean --help?",
    "train images.npz": "Did you mean data=array data.path=images.npz?",
    "train --multi-run seed=0,1": "unrecognized arguments: --multi-run. Did you mean --multirun?",
    "train --epochs 3 --data=MNIST --no-progress": "options are key=value, without dashes. "
    "Try trainer.max_epochs=3 data=mnist trainer.progress=false.",
    "eval outputs/x": "outputs/x: is not of the form key=value. Did you mean run=outputs/x?",
    "eval run=x split=val": "Did you mean split=validation?",
    "eval --samples 100": "--samples 100: options are key=value, without dashes. Try samples=100.",
    "sample --run X": "--run X: options are key=value, without dashes. Try run=X.",
    "sample samples run=x": "samples: is not of the form key=value. Did you mean what=samples?",
    "sample run=x what=Samples": "there is no such option. Did you mean what=samples?",
    "flow hydra.run.dir=x": "hydra.run.dir=x: is not a key of vae-flow. Try output=x.",
    "compare --mixed outputs": "Try mixed=true.",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAE_CLI_CONF", raising=False)


@cache
def known(command: str, chosen: str) -> Vocabulary:
    return vocabulary(command, chosen.split())


@pytest.mark.parametrize("row", KEYS, ids=[f"{row.command} {row.typed}" for row in KEYS])
def test_key_is_answered(row: Row) -> None:
    key, _, value = row.typed.partition("=")
    assert words_for(key, value, known(row.command, row.chosen))[0] == row.answer


@pytest.mark.parametrize("typed", OPTIONS)
def test_option_is_answered(typed: str) -> None:
    group, _, name = typed.partition("=")
    assert option_for(group, name, known("train", "")) == OPTIONS[typed]


def test_answers_compose() -> None:
    lines: dict[tuple[str, str], list[str]] = {}  # those of the same options, all in one
    for row in KEYS:
        groups = known(row.command, row.chosen).groups
        words = [word.strip("'") for word in row.answer.split() if ",0.01" not in word]
        keys = [word for word in words if word.partition("=")[0] not in groups]
        choices = [word for word in words if word not in keys]
        for group, _, option in (word.partition("=") for word in choices):
            assert {*option.strip("[]").split(",")} <= {*groups[group]}
        if keys:
            chosen = " ".join([*row.chosen.split(), *choices])
            lines.setdefault((row.command, chosen), []).extend(keys)
    for (command, chosen), keys in lines.items():
        compose(command, [*chosen.split(), *dict.fromkeys(keys)])


@pytest.mark.parametrize("targets", MEANT)
def test_every_synonym_leads_somewhere(targets: str) -> None:
    everything = [known(command, "") for command in COMMANDS]
    everything += [known("train", f"data={name}") for name in ("mnist", "image_folder")]
    for target in targets.split():
        name, _, own = target.partition("=")
        has = [n for n in everything if name in {*n.groups, *n.present, *n.absent}]
        has += [n for n in everything if any(key.endswith(f".{name}") for key in n.present)]
        assert has, target
        assert not own or not (options := has[0].groups.get(name)) or own in (*options, "[]")
    assert all(
        word == squeezed(word) or "_" in word or "/" in word for word in MEANT[targets].split()
    )


@pytest.mark.parametrize("line", SAID)
def test_says_what_was_meant(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("images.npz").touch()
    command, *arguments = line.split()
    assert importlib.import_module(f"vae_cli.commands.{command}").main(arguments) == 2
    (message,) = capsys.readouterr().err.splitlines()
    assert SAID[line] in message
