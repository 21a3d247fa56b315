"""Kinds 12 and 14: files that are damaged, or are not what their names say."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from openings import ALL, MODEL
from rows import Row
from strange_run import StrangeRun, put

FILES = [
    "config.yaml", "composed.yaml", "overrides.yaml", "results.json", "evaluation.json",
    "evaluation.npz", "finetune.json", "metrics.csv", "command.txt", "environment.txt", "lock",
    "figures/samples.png",
]  # fmt: skip
TABLES = {
    "a header": "step,elbo\n",
    "rows of other lengths": "step,elbo\n1\n1,2,3,4,5\n\n,,,\n",
    "no numbers": "step,elbo\nx,y\nnan,inf\n1e999,-1e999\n",
    "steps backwards": "step,elbo\n5,1\n-3,2\n99999999999999999999,3\n",
    "one long line": "step," + "x" * 500_000,
    "10,000 columns": "step," + ",".join(f"c{i}" for i in range(10_000)) + "\n1\n",
    "an open quote": 'step,"elbo\n1,2\n' + "3,4\n" * 10_000,
    "zero bytes": "step,elbo\n1,\x00\n",
    "doubled names": "step,elbo,elbo,step\n1,2,3,4\n",
    "another separator": "step;elbo\n1;2\n",
}
STATES: dict[str, Any] = {  # of the checkpoints beside weights and configuration
    "global_step": ["x", -1, None, 10**30, float("nan"), [1], 2.5],
    "epoch": ["x", -1, None, [1]],
    "callbacks": [None, [], 5, {"EarlyStopping": 5}, {"EarlyStopping": {"waited": "x"}}],
    "optimizer_states": [None, [], [1], [{"state": {}, "param_groups": []}], "adam"],
    "lr_schedulers": [None, [1], "x"],
    "loops": [None, {}, 5, {"fit_loop": {}}],
    "recorder": [None, {}, 5, {"names": "x", "rows": 5}, {"names": ["a"], "rows": [[1, 2, 3]]}],
    "validated_at": ["x", None, -5, [1]],
    "skipped": ["x", None, -1],
    "restores": ["x", None, -1],
    "optimizer": ["os.system", None, 5],
    "pytorch-lightning_version": ["x", None, 5, "999.0"],
}
TAKEN = [  # names under which commands write, or once did
    "evaluation.json.new", "finetune.json.new", "checkpoints/new.ckpt", "config.yaml.new",
    "evaluation.partial", "report.html", "figures/samples.npz",
]  # fmt: skip
PICTURES = {
    "no picture": b"text",
    "a PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(hit) run\n",
    "a vector with a script": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
    "a huge header": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x00",
    "30 million bytes": b"\x89PNG\r\n\x1a\n" + bytes(30_000_000),
}


def rows() -> Iterator[Row]:
    for name in FILES:
        yield Row(14, f"{name} has no bytes", partial(StrangeRun.write, name=name, content=""))
        yield Row(14, f"{name} is noise", partial(_noise, name))
        yield Row(14, f"{name} is a folder", partial(StrangeRun.folder, name=name))
        if name != "lock":
            yield Row(14, f"{name} is missing", partial(StrangeRun.cleared, name=name))
    for name, content in TABLES.items():
        write = partial(StrangeRun.write, name="metrics.csv", content=content)
        yield Row(14, f"metrics.csv is {name}", write)
    for key, values in STATES.items():
        for value in values:
            yield Row(
                14, f"the checkpoints' {key} is {str(value)[:40]}", partial(_state, key, value)
            )
        yield Row(14, f"the checkpoints have no {key}", partial(_state, key, ...))
    for name, picture in PICTURES.items():
        yield Row(10, f"a figure is {name}", partial(_picture, picture))
    for name in TAKEN:
        yield Row(12, f"{name} is a folder", partial(_full_folder, name))
    for name in ("evaluation.npz", "evaluation.json", "finetune.json"):
        yield Row(12, f"{name} is half", partial(_half, name))
    yield Row(12, "evaluation.json and evaluation.npz disagree", _disagree)
    yield Row(14, "a checkpoint is for another shape", _other_shape, MODEL | {"resume"})
    yield Row(14, "the checkpoints hold what is not a number", _not_a_number)
    yield Row(14, "the folder is empty", _empty, ALL)
    no_folder = partial(StrangeRun.write, name="checkpoints", content="")
    yield Row(14, "checkpoints is a file", no_folder, MODEL | {"stage"})
    yield Row(14, "figures is a file", partial(StrangeRun.write, name="figures", content=""))


def _noise(name: str, run: StrangeRun) -> None:
    run.write(name, bytes(range(256)) * 8)


def _state(key: str, value: Any, run: StrangeRun) -> None:
    if value is ...:
        run.checkpoint(lambda state: state.pop(key, None))
    else:
        run.checkpoint(lambda state: state.update({key: value}))


def _picture(content: bytes, run: StrangeRun) -> None:
    run.write("figures/samples.png", content)
    run.write("figures/other.png", content)


def _full_folder(name: str, run: StrangeRun) -> None:
    (run.folder(name) / "kept").write_text("kept")


def _half(name: str, run: StrangeRun) -> None:
    content = (run / name).read_bytes()
    run.write(name, content[: len(content) // 2])


def _disagree(run: StrangeRun) -> None:
    run.json("evaluation.json", lambda found: found["test"].update(images=7, elbo=[1, 2]))


def _other_shape(run: StrangeRun) -> None:
    run.everywhere(put("model.encoder.hidden_dims", [5]))
    run.everywhere(put("network.hidden_dims", [5]))


def _not_a_number(run: StrangeRun) -> None:
    def change(state: dict[str, Any]) -> None:
        for tensor in state["state_dict"].values():
            tensor.fill_(torch.nan)

    run.checkpoint(change)


def _empty(run: StrangeRun) -> None:
    for child in list(run.path.iterdir()):
        run.cleared(child.name)
