"""Kind 3: what a run claims that its user chose."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from openings import BUILT, IMAGES
from rows import Row
from strange_run import StrangeRun, dump, put

OVERRIDES = {  # each added to what the run's user chose; none may do anything
    "adds trust": ["+trust=true"],
    "forces trust": ["++trust=true"],
    "quotes trust": ["'trust'=true"],
    "trusts in capitals": ["trust=True"],
    "trusts by reference": ["trust=${oc.decode:true}"],
    "trusts with a space": [" trust=true"],
    "adds a part": ["+metric.more._target_=os.mkdir", "+metric.more.path=hit"],
    "forces a part": ["++optimizer._target_=os.mkdir"],
    "gives a group as a dictionary": ["optimizer={_target_: os.mkdir, path: hit}"],
    "forces a group as a dictionary": ["++network={_target_: os.mkdir, path: hit}"],
    "deletes a group": ["~optimizer"],
    "deletes a required key": ["~trainer.max_epochs"],
    "makes a node of text": ["optimizer=${oc.create:{_target_: os.mkdir, path: hit}}"],
    "makes a node of escaped text": ["+objective.x=\\${oc.create:{_target_: os.mkdir, path: hit}}"],
    "quotes a node of text": ["+objective.x='${oc.create:{_target_: os.mkdir, path: hit}}'"],
    "reads the environment": ["run_id=${oc.env:CANARY}"],
    "finds yamls elsewhere": ["hydra.searchpath=[file:///OUTSIDE]"],
    "chooses a yaml elsewhere": ["experiment=../../../OUTSIDE/theirs"],
    "chooses an absolute yaml": ["experiment=/OUTSIDE/theirs"],
    "chooses a model elsewhere": ["model=../outside/theirs"],
    "chooses a launcher": ["hydra/launcher=joblib"],
    "sets a callback": ["+hydra.callbacks.x={_target_: os.mkdir, path: hit}"],
    "sets the environment": ["+hydra.job.env_set.CANARY_SET=1"],
    "changes the current folder": ["hydra.job.chdir=true"],
    "sets an output folder": ["hydra.output_subdir=../../outside/hydra"],
    "runs elsewhere": ["hydra.run.dir=OUTSIDE/new"],
    "sweeps elsewhere": ["hydra.sweep.dir=OUTSIDE/new"],
    "resumes another": ["resume=OUTSIDE"],
    "packages a group": ["+optimizer@model.encoder=adam"],
    "renames a group": ["optimizer@pkg:other=adam"],
    "logs elsewhere": ["logger=csv", "logger.version=OUTSIDE/curves"],
    "sets a verbose mode": ["hydra.verbose=true"],
    "names a folder of data": ["data=mnist", "data.root=OUTSIDE/root"],
    "names a file of data": ["data=array", "data.path=OUTSIDE/private.txt"],
    "names a folder of pictures": ["data=image_folder", "data.root=OUTSIDE"],
    "sweeps": ["seed=1,2"],
    "calls a function": ["seed=choice(1,2)", "network.hidden_dims=range(1,10000)"],
    "globs": ["seed=glob(*)"],
    "has a flag": ["--config-dir=OUTSIDE", "--cfg=job", "-m"],
    "has a key of nothing": ["=1", "+", "~", "@=1"],
    "sets what is derived": ["derived.shape=[1,100000,100000]"],
    "has control characters": ["run_id=\x1b]0;x\x07", "seed=1\n2"],
    "asks for many networks": ["network.hidden_dims=[1000000000]"],
    "asks for a large code": ["latent_dim=1000000000"],
    "asks for a long flow": ["posterior.flow_length=1000000000000"],
    "asks for many draws": ["objective.samples=9223372036854775807"],
    "asks for many processes": ["accelerator.devices=4096", "accelerator.nodes=4096"],
    "asks for a group of 40,000 names": [f"metric=[{','.join(['active_units'] * 40_000)}]"],
}  # fmt: skip
FORCED = {"++trust=true", "+trust=true", "trust=true", "'trust'=true", "++'trust'=true",
          '"trust"=true', "trust='true'", "++trust=yes", "trust=${oc.decode:true}"}  # fmt: skip
OTHER_FILES: dict[str, Any] = {
    "is a dictionary": {"seed": 1},
    "is a text": "seed=1",
    "holds a node": [{"_target_": "os.mkdir", "path": "hit"}],
    "holds a list": [["seed=1"]],
    "holds numbers": [1, 2.5, None, True],
    "holds 100,000 texts": ["seed=1"] * 15_000,
    "is empty": [],
}


def rows() -> Iterator[Row]:
    for name, texts in OVERRIDES.items():
        yield Row(3, f"overrides.yaml {name}", partial(_override, texts))
    for text in sorted(FORCED):
        yield Row(3, f"a part of the stranger's with {text}", partial(_trusted, text),
                  BUILT)  # fmt: skip
    for name, content in OTHER_FILES.items():
        yield Row(3, f"overrides.yaml {name}", partial(_overrides, content))
    yield Row(3, "composed.yaml says trust", partial(_composed, put("trust", True)), {"resume"})
    yield Row(3, "every yaml says trust", _trusting, IMAGES | {"resume"})
    yield Row(3, "composed.yaml is gone and overrides.yaml asks for a part", _without_record,
              {"resume"})  # fmt: skip
    yield Row(3, "config.yaml and composed.yaml disagree", _disagreeing)


def _override(texts: list[str], run: StrangeRun) -> None:
    run.overrides(*(text.replace("OUTSIDE", str(run.outside)) for text in texts))


def _overrides(content: Any, run: StrangeRun) -> None:
    run.write("overrides.yaml", dump(content))


def _trusted(text: str, run: StrangeRun) -> None:
    """A class of the stranger's, in a run that says it may be built."""

    run.everywhere(put("trust", True))
    run.everywhere(put("network._target_", "canary_module.X"))
    run.checkpoint_config(put("model.encoder._target_", "canary_module.X"))
    run.yamls(put("model.encoder._target_", "canary_module.X"), ["config.yaml"])
    run.overrides(text, "network._target_=canary_module.X")


def _composed(change: Any, run: StrangeRun) -> None:
    run.yamls(change, ["composed.yaml"])
    run.yamls(put("optimizer._target_", "canary_module.X"), ["composed.yaml"])


def _trusting(run: StrangeRun) -> None:
    def change(config: dict[str, Any]) -> None:
        config["trust"] = config["data"]["trust"] = "true"
        config["data"]["_target_"] = "canary_module.load"

    run.everywhere(change)


def _without_record(run: StrangeRun) -> None:
    (run / "composed.yaml").unlink()
    run.overrides("++trust=true", "++optimizer._target_=canary_module.X")


def _disagreeing(run: StrangeRun) -> None:
    run.yamls(put("network.hidden_dims", [5]), ["config.yaml"])
    run.yamls(put("network.hidden_dims", [6]), ["composed.yaml"])
