"""Records the numbers of some thirty short seeded commands, or compares them with a record.

A change of structure changes no number. Record before the first edit and check after each step, on
one machine with the same packages (three minutes on two cores):

    python tests/baseline/run.py record before.json
    python tests/baseline/run.py check before.json

Each command is a process with one thread. All numbers in the files that it leaves are compared to
the last digit, except times, dates and speeds. Weights are compared whatever their names are.
"""

import argparse
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

CONF = Path(__file__).parents[2] / "conf"
COVERED = ("model", "posterior", "likelihood", "objective", "network", "kl_schedule", "prior",
           "metric", "analysis")  # fmt: skip
NOT_COMPARED = re.compile(
    r"second|_at$|date|version|speed|sha256|environment|hostname|file|path|digest|time|wall"
)
PROGRAMS = Path(sys.executable).parent

# Each line of a chain works on what the one before it left; chains know nothing of each other.
CHAINS: dict[str, list[str]] = {
    "vae": [
        "vae-train hydra.run.dir=vae trainer.max_steps=40 kl_schedule=linear"
        " kl_schedule.warmup_steps=9",
        "vae-train resume=vae trainer.max_steps=60",
        "vae-eval run=vae samples=50 analysis=[mutual_information,posterior_check,probe]",
        "vae-sample run=vae what=samples,reconstructions,traversals,interpolations format=npz"
        " output=drawn",
        "vae-export run=vae output=vae.onnx",
    ],
    "flow": [
        "vae-train hydra.run.dir=flow model=flow optimizer.lr_schedule=null trainer.max_steps=30"
        " metric=[active_units,kl_per_dimension,importance_sampling]",
        "vae-eval run=flow samples=20 split=validation",
        "vae-finetune run=flow labels=100 steps=30",
    ],
    "radial": [
        "vae-train hydra.run.dir=radial posterior=radial kl_schedule=cyclical trainer.max_steps=30"
        " network=gated_conv objective.samples=3",
    ],
    "ppca": [
        "vae-train hydra.run.dir=ppca model=ppca data.dequantize=true trainer.max_steps=30",
        "vae-train hydra.run.dir=ppca_planar model=ppca posterior=flow trainer.max_steps=30",
        "vae-train hydra.run.dir=fa model=factor_analysis trainer.max_steps=30",
        "vae-eval run=ppca metric=[exact_log_likelihood]",
        "vae-compare run=ppca,ppca_planar,fa format=csv output=compared.csv",
    ],
    "codes": [
        "vae-train hydra.run.dir=ae model=autoencoder trainer.max_steps=30",
        "vae-train hydra.run.dir=cae model=contractive_autoencoder trainer.max_steps=20",
        "vae-train hydra.run.dir=dae model=denoising_autoencoder likelihood=bernoulli"
        " trainer.max_steps=30",
        "vae-train hydra.run.dir=sae model=sparse_autoencoder network=conv trainer.max_steps=20",
        "vae-eval run=ae,dae",
        "vae-eval run=ae split=train metric=[codes] analysis=[]",
        "vae-finetune run=sae labels=100 steps=20",
    ],
    "labels": [
        "vae-train hydra.run.dir=m1 model=m1 data.labels=100 trainer.max_steps=30",
        "vae-train hydra.run.dir=m2 model=m2 data.labels=100 trainer.max_steps=30",
        "vae-train hydra.run.dir=m1_m2 model=m1_m2 data.labels=100 trainer.max_steps=30",
        "vae-train hydra.run.dir=of_m1 model=m1_m2 data.labels=100 model.m1=m1"
        " trainer.max_steps=20",
        "vae-eval run=m2 samples=20",
        "vae-eval run=m2 metric=[labelled_elbo,classification]",
    ],
    "plane": [
        "vae-train hydra.run.dir=plane data=spiral likelihood=gaussian trainer.max_steps=40"
        " kl_schedule=rezende",
        "vae-train hydra.run.dir=linear data=circles network=linear likelihood=gaussian"
        " posterior=diagonal prior=standard kl_schedule=constant trainer.max_steps=30",
        "vae-sample run=plane what=samples format=npz output=points",
    ],
    "processes": [
        "vae-train hydra.run.dir=ddp accelerator=ddp_cpu trainer.max_steps=20",
        "vae-train -m posterior=diagonal,planar seed=0,1 hydra.sweep.dir=sweep"
        " trainer.max_steps=20",
    ],
}


def main() -> int:
    """Records or checks; 1 if a number differs or a command fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["record", "check"])
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2) as pool:
        places = [(Path(scratch) / name, lines) for name, lines in CHAINS.items()]
        failed = list(filter(None, pool.map(lambda each: run_chain(*each), places)))
        for text in failed:
            print(text)
        if failed:
            return 1
        found = {name: dict(numbers_below(Path(scratch) / name)) for name in CHAINS}
        unused = unused_options(Path(scratch))
    if unused:
        print(f"no command uses {', '.join(unused)}")
        return 1
    if given.what == "record":
        given.file.write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(f"{sum(map(len, found.values()))} numbers of {len(found)} chains in {given.file}")
        return 0
    return compare(json.loads(given.file.read_text(encoding="utf-8")), found)


def run_chain(place: Path, lines: list[str]) -> str | None:
    """Runs commands one after the other in a new folder; what the first failure prints."""
    place.mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "VAE_CLI_CONF": ""}
    for line in lines:
        program, *words = line.split()
        if program == "vae-train" and not words[0].startswith("resume="):
            words += ["logger=csv", "trainer.progress=false"]
            words += [] if "data=" in line else ["data=digits"]
        done = subprocess.run(
            [PROGRAMS / program, *words], cwd=place, env=environment, capture_output=True, text=True
        )
        print(f"{place.name}: {line}", flush=True)
        if done.returncode:
            return f"{line}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return None


def numbers_below(folder: Path) -> Iterator[tuple[str, Any]]:
    """All numbers in the files of a folder, by file and place in it."""
    for path in sorted(folder.rglob("*")):
        name, read = str(path.relative_to(folder)), READERS.get(path.suffix)
        if read is not None and path.is_file():
            for key, value in read(path):
                if not NOT_COMPARED.search(key):
                    yield f"{name}: {key}", value


def _of_json(path: Path) -> Iterator[tuple[str, Any]]:
    yield from _leaves("", json.loads(path.read_text(encoding="utf-8")))


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in pairs:
            yield from _leaves(f"{key}/{name}" if key else str(name), part)
    elif isinstance(value, int | float | None):
        yield key, value


def _of_csv(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        for index, row in enumerate(csv.DictReader(file)):
            yield from ((f"{index}/{name}", value) for name, value in row.items())


def _of_npz(path: Path) -> Iterator[tuple[str, Any]]:
    with np.load(path) as arrays:
        for name, array in arrays.items():
            yield name, _digest([array])


def _of_checkpoint(path: Path) -> Iterator[tuple[str, Any]]:
    content = torch.load(path, map_location="cpu", weights_only=True)
    tensors = [t.numpy() for t in content["state_dict"].values()]
    yield "weights", _digest(tensors)


def _of_onnx(path: Path) -> Iterator[tuple[str, Any]]:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(path))
    yield "initializers", _digest([numpy_helper.to_array(t) for t in model.graph.initializer])


def _digest(arrays: list[np.ndarray]) -> str:
    """Of the values alone, in whatever order and by whatever names they are stored."""
    each = sorted(hashlib.sha256(f"{a.dtype}{a.shape}".encode() + a.tobytes()).hexdigest()
                  for a in arrays)  # fmt: skip
    return hashlib.sha256("".join(each).encode()).hexdigest()[:16]


READERS = {".json": _of_json, ".csv": _of_csv, ".npz": _of_npz, ".ckpt": _of_checkpoint,
           ".onnx": _of_onnx}  # fmt: skip


def unused_options(folder: Path) -> list[str]:
    """The options of the covered groups that no command names and no run below is composed of."""
    used = "".join(p.read_text(encoding="utf-8") for p in folder.rglob("composed.yaml"))
    used += " ".join(line for lines in CHAINS.values() for line in lines)
    options = [path for group in COVERED for path in sorted((CONF / group).glob("*.yaml"))]
    return [f"{p.parent.name}={p.stem}" for p in options if not _is_used(p, used)]


def _is_used(option: Path, used: str) -> bool:
    target = re.search(r"^_target_: (\S+)", option.read_text(encoding="utf-8"), re.MULTILINE)
    return bool(re.search(rf"\b{option.stem}\b", used)) or bool(target and target[1] in used)


def compare(before: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> int:
    """Prints each number that differs, is missing or is new; 1 if there are any."""
    differences = 0
    for chain in sorted({*before, *now}):
        old, new = before.get(chain, {}), now.get(chain, {})
        for key in sorted({*old, *new}):
            if key not in old or key not in new or old[key] != new[key]:
                print(f"{chain}/{key}: {old.get(key, 'missing')} -> {new.get(key, 'missing')}")
                differences += 1
    total = sum(map(len, before.values()))
    print(f"{differences} of {total} numbers differ" if differences else f"{total} numbers agree")
    return bool(differences)


if __name__ == "__main__":
    sys.exit(main())
