"""Kind 4: runs of two stages, whose first one is a run within."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from openings import MODEL
from rows import Row
from strange_run import Change, StrangeRun, put

MKDIR = {"_target_": "os.mkdir", "path": "hit"}
CREATE = "${oc.create:{_target_: os.mkdir, path: hit}}"
RESUME = {"resume"}
BOTH = MODEL | RESUME
PARTS: dict[str, tuple[Change, set[str]]] = {  # of the second stage's configuration
    "the features": (put("model.features._target_", "os.mkdir"), BOTH),
    "the features' network": (put("model.features.network", MKDIR), BOTH),
    "the features, hidden": (put("model.features", CREATE), BOTH),
    "the features' likelihood": (put("model.features.likelihood", CREATE), BOTH),
    "the features of features": (put("model.features.features", MKDIR), BOTH),
    "the likelihood": (put("model.likelihood", MKDIR), BOTH),
    "the images' likelihood": (put("likelihood", MKDIR), RESUME),
    "the images' likelihood, hidden": (put("likelihood", CREATE), RESUME),
    "units that are nodes": (put("model.units", [MKDIR]), BOTH),
    "units that are texts": (put("model.units", ["${oc.env:CANARY}"]), BOTH),
    "units beyond all": (put("model.units", [10**9]), BOTH),
    "a million units": (put("model.units", [0] * 10_000), BOTH),
    "a first stage elsewhere": (put("model.m1", "/dev"), set()),
    "a first stage that is a node": (put("model.m1", MKDIR), BOTH),
    "classes that are a node": (put("model.classes", MKDIR), BOTH),
    "a billion classes": (put("model.classes", 10**9), BOTH),
}
FIRST = {  # overrides of the first stage, which a child would be started with
    "a part": ["++network._target_=os.mkdir"],
    "trust": ["++trust=true", "network._target_=canary_module.X"],
    "a folder elsewhere": ["hydra.run.dir=/tmp/elsewhere"],
    "a flag": ["--config-dir=/tmp", "-m"],
    "a node": [MKDIR],
    "a text made of text": [CREATE],
    "stages within": ["model=m1_m2"],
    "a yaml elsewhere": ["experiment=../../theirs"],
    "a callback": ["+hydra.callbacks.x={_target_: os.mkdir, path: hit}"],
}
DROPPED = {"a folder elsewhere": RESUME, "a callback": RESUME}  # Hydra's own are left out


def rows() -> Iterator[Row]:
    for name, (change, refused) in PARTS.items():
        yield Row(4, f"two stages with {name}", partial(_everywhere, change), refused, "m1_m2")
    for name, texts in FIRST.items():
        refused = RESUME - set(DROPPED.get(name, ()))
        yield Row(4, f"unbegun, its first stage is given {name}", partial(_unbegun, texts), refused,
                  "m1_m2")  # fmt: skip
    yield Row(4, "the first stage, unfinished, names a part", _hostile_first, RESUME, "m1_m2")
    yield Row(4, "the first stage, unfinished, trusts", _trusting_first, RESUME, "m1_m2")
    yield Row(4, "the first stage is a link", _linked_first, MODEL | RESUME, "m1_m2")
    yield Row(4, "the first stage is a pipe", lambda run: run.fifo("m1"), MODEL | RESUME, "m1_m2")
    yield Row(4, "the first stage is empty", lambda run: run.folder("m1"), base="m1_m2")
    yield Row(4, "config.yaml has other features", _other_features, RESUME, "m1_m2")


def _everywhere(change: Change, run: StrangeRun) -> None:
    run.everywhere(change)


def _unbegun(more: list[Any], run: StrangeRun) -> None:
    """Nothing of it has been trained: to resume it is to train the first stage."""
    texts = ["trainer.max_steps=2", "network.hidden_dims=[4]", *more]
    run.cleared("checkpoints").mkdir()
    run.cleared("m1")
    for name in ("config.yaml", "results.json", "evaluation.json", "evaluation.npz"):
        run.cleared(name)
    run.yamls(put("model.first", texts), ["composed.yaml"])
    run.yamls(put("model.features", None), ["composed.yaml"])
    run.overrides("model.first=[" + ",".join(f"'{text}'" for text in texts) + "]")


def _unfinished(run: StrangeRun) -> StrangeRun:
    run.cleared("checkpoints").mkdir()
    run.cleared("results.json")
    first = run.first_stage()
    first.cleared("results.json")
    first.cleared("checkpoints/best.ckpt")
    return first


def _hostile_first(run: StrangeRun) -> None:
    first = _unfinished(run)
    first.yamls(put("optimizer._target_", "os.mkdir"))
    first.overrides("++optimizer._target_=os.mkdir")


def _trusting_first(run: StrangeRun) -> None:
    first = _unfinished(run)
    first.yamls(put("trust", True))
    first.yamls(put("network._target_", "canary_module.X"))
    first.overrides("++trust=true", "network._target_=canary_module.X")


def _linked_first(run: StrangeRun) -> None:
    run.link("m1", run.outside / "run")


def _other_features(run: StrangeRun) -> None:
    run.yamls(put("model.features.network._target_", "os.mkdir"), ["config.yaml"])
