"""Kinds 9 and 14: small files that ask for much."""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from openings import MODEL, OPENED
from rows import Row
from strange_run import Evil, StrangeRun, put, seal

READ = MODEL | {"resume"}  # the checkpoints
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)
MERGES = "m0: &m0 {x: 1}\n" + "".join(
    f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}], y{i}: *m{i - 1}}}\n"
    for i in range(1, 12)
)
YAMLS = {  # in the place of a configuration, or behind one
    "an alias bomb": LAUGHS,
    "a merge bomb": MERGES,
    "an alias of itself": "a: &a [*a]\n",
    "100,000 levels": "a: " + "[" * 100_000 + "]" * 100_000 + "\n",
    "100,000 levels of keys": "a: " + "{a: " * 30_000 + "1" + "}" * 30_000 + "\n",
    "levels without an end": "a: " + "[" * 50_000,
    "a tag of Python's": "a: !!python/object/apply:os.mkdir [hit]\n",
    "a tag for a module": "a: !!python/module:canary_module\n",
    "a million digits": "a: " + "9" * 1_000_000 + "\n",
    "4,301 digits": "a: " + "9" * 4301 + "\n",
    "sixty in base 60": "a: " + "1:" * 20_000 + "1\n",
    "two documents": "--- \na: 1\n--- \nb: 2\n",
    "keys that are no texts": "1: 2\n? [a, b]\n: 3\nnull: 4\n",
    "a date": "a: 2001-01-01\nb: 2001-13-45\n",
    "100,000 keys": "".join(f"k{i}: 1\n" for i in range(20_000)),
    "nothing": "",
    "bytes of no text": "\udcff\udcfe",
}
SIZES: dict[str, Any] = {  # a configuration's own, by dotted key
    "model.latent_dim": 10**9, "model.network.hidden_dims": [10**9],
    "model.posterior.flow_length": 10**12, "model.shape": [1, 10**6, 10**6],
}  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "model.latent_dim": [0, -1, 2.5, "2", float("nan"), None, [2], True, 10**30, "${latent_dim}"],
    "model.network.hidden_dims": [[4] * 100_000, [0], [-4], "4", {"a": 4}, [[4]], [None], ["4"]],
    "model.shape": [[1, 8], [0, 8, 8], "1,8,8", None, [1, 8, -8], [1, 8, 10**30]],
    "model.posterior.flow_length": [0, -1, 1.5, "1", None, [1], 2**63],
}


def rows() -> Iterator[Row]:
    for name, text in YAMLS.items():
        yield Row(9, f"each configuration has {name}", partial(_behind, text))
        yield Row(9, f"each yaml is {name}", partial(_instead, text))
    for key, value in SIZES.items():
        change = partial(put(key, value))
        yield Row(14, f"{key} is vast", partial(StrangeRun.everywhere, change=change), OPENED)
        yield Row(14, f"{key} is vast, and so are tensors", partial(_vast, key, value), OPENED)
    for key, values in WRONG.items():
        for value in values:
            change = put(key, value)
            yield Row(14, f"{key} is {str(value)[:20]}",
                      partial(StrangeRun.everywhere, change=change), OPENED)  # fmt: skip
    for name, make in CHECKPOINTS.items():
        refused = OPENED if "a configuration" in name else READ  # resume has it from its yamls
        yield Row(9, f"the checkpoints are {name}", make, refused)


def _behind(text: str, run: StrangeRun) -> None:
    run.config_text(lambda config: config + text.encode("utf-8", "replace").decode())


def _instead(text: str, run: StrangeRun) -> None:
    for name in ("config.yaml", "composed.yaml", "overrides.yaml"):
        run.write(name, text.encode("utf-8", "surrogateescape"))
    run.checkpoint(lambda state: state.update(config=text.encode("utf-8", "replace").decode()))


def _vast(key: str, value: Any, run: StrangeRun) -> None:
    """Tensors of one number in memory that claim the shape that the configuration asks for."""
    run.everywhere(put(key, value))

    def change(state: dict[str, Any]) -> None:
        weights = state["state_dict"]
        for name in weights:
            weights[name] = torch.zeros(1).expand(10**6, 10**6)

    run.checkpoint(change)


def _each(run: StrangeRun) -> Iterator[Any]:
    for name in ("best.ckpt", "last.ckpt"):
        yield run / "checkpoints" / name


def _pickled(run: StrangeRun) -> None:
    for path in _each(run):
        seal({"global_step": Evil(), "config": "", "state_dict": {}}, path)


def _old_pickle(run: StrangeRun) -> None:
    for path in _each(run):
        path.write_bytes(pickle.dumps(Evil()))


def _terabytes(run: StrangeRun) -> None:
    """The weights claim 4 TB in a file of a few thousand bytes."""
    run.checkpoint(lambda state: state["state_dict"].update(
        {name: torch.zeros(1).expand(10**6, 10**6) for name in state["state_dict"]}
    ))  # fmt: skip


def _moments(run: StrangeRun) -> None:
    def change(state: dict[str, Any]) -> None:
        for slot in state["optimizer_states"][0]["state"].values():
            slot["exp_avg"] = torch.zeros(1).expand(10**6, 10**6)

    run.checkpoint(change)


def _meta(run: StrangeRun) -> None:
    run.checkpoint(lambda state: state["state_dict"].update(
        {name: torch.empty(10**6, 10**6, device="meta") for name in state["state_dict"]}
    ))  # fmt: skip


def _sparse(run: StrangeRun) -> None:
    where, size = torch.zeros(2, 1, dtype=torch.int64), (10**6, 10**6)
    tensor = torch.sparse_coo_tensor(where, torch.ones(1), size, check_invariants=True)
    run.checkpoint(lambda state: state["state_dict"].update(
        dict.fromkeys(state["state_dict"], tensor)
    ))  # fmt: skip


def _shapeless(run: StrangeRun) -> None:
    run.checkpoint(lambda state: state.update(state_dict={"model.x": "not a tensor"}))


def _zip_bomb(run: StrangeRun) -> None:
    """An archive whose pickle is 4 GB of zeros, four million bytes in the file."""
    for path in _each(run):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("archive/data.pkl", "w", force_zip64=True) as file:
                for _ in range(64):
                    file.write(bytes(1 << 20))
            archive.writestr("archive/version", "3\n")


def _declared(run: StrangeRun) -> None:
    """An archive whose entries claim to be larger than they are."""
    for path in _each(run):
        content = bytearray(path.read_bytes())
        at = content.find(b"PK\x01\x02")
        content[at + 20 : at + 28] = b"\xfe\xff\xff\xff\xfe\xff\xff\xff"
        path.write_bytes(content)


def _nested(run: StrangeRun) -> None:
    node: Any = 1
    for _ in range(300):
        node = [node]
    run.checkpoint(lambda state: state.update(callbacks=node, recorder=node, epoch=node))


CHECKPOINTS = {
    "pickles that make a folder": _pickled,
    "bare pickles that make a folder": _old_pickle,
    "weights of terabytes": _terabytes,
    "weights without memory": _meta,
    "sparse weights": _sparse,
    "weights that are no tensors": _shapeless,
    "a zip bomb": _zip_bomb,
    "archives that lie about sizes": _declared,
    "lists": lambda run: [seal([1, 2], path) for path in _each(run)],
    "empty dictionaries": lambda run: [seal({}, path) for path in _each(run)],
    "empty files": lambda run: [path.write_bytes(b"") for path in _each(run)],
    "yamls": lambda run: [path.write_bytes(b"a: 1\n") for path in _each(run)],
    "zeros": lambda run: [path.write_bytes(bytes(100_000)) for path in _each(run)],
    "folders": lambda run: [run.folder(f"checkpoints/{path.name}") for path in _each(run)],
    "without a configuration": lambda run: run.checkpoint(lambda state: state.pop("config")),
    "without weights": lambda run: run.checkpoint(lambda state: state.pop("state_dict")),
    "with a configuration that is a list": lambda run: run.checkpoint(
        lambda state: state.update(config="- 1\n")
    ),
    "with a configuration that is a number": lambda run: run.checkpoint(
        lambda state: state.update(config=5)
    ),
    "with a configuration that is a node": lambda run: run.checkpoint(
        lambda state: state.update(config={"model": {"_target_": "os.mkdir", "path": "hit"}})
    ),
    "weights in another's order": lambda run: run.checkpoint(
        lambda state: state.update(state_dict=OrderedDict(nope=torch.zeros(1)))
    ),
}
