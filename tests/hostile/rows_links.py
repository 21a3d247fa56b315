"""Kinds 5, 6 and 7: links, pipes and devices at the names that commands use; names as paths."""

import os
import socket
from collections.abc import Iterator
from functools import partial

from openings import BUILT
from rows import Row
from strange_run import StrangeRun, put

LOOKED_AT = BUILT | {"report"}  # one run, looked at as a whole before anything else
NAMES = [  # that commands read, or write anew
    "config.yaml", "composed.yaml", "overrides.yaml", "results.json", "evaluation.json",
    "evaluation.npz", "finetune.json", "metrics.csv", "command.txt", "environment.txt", "lock",
    "numbers.json", "checkpoints/best.ckpt", "checkpoints/last.ckpt", "figures/samples.png",
]  # fmt: skip
NEW = [  # that commands make, and may find taken
    "evaluation.json.new", "evaluation.npz.new", "finetune.json.new", "config.yaml.new",
    "overrides.yaml.new", "results.json.new", "evaluation.partial", "checkpoints/new.ckpt",
    "checkpoints/previous.ckpt", "report.html", "report.html.new", "projector_config.pbtxt",
    "events.out.tfevents.1.x.1.0", "figures/new.png", "output.txt", "error.txt", "job.json",
]  # fmt: skip
FOLDERS = ["checkpoints", "figures", "projector", "m1", "export", "figures/beside_run", "."]
PATHS = ["../outside/hit", "/tmp/hit", "a/b", "a\\b", "..", ".", "", "a\nb", "a\x00b", "~", "$HOME",
         "con", "-rf", "x" * 300]  # fmt: skip


def rows() -> Iterator[Row]:
    for name in NAMES:
        yield Row(6, f"{name} is a link to a private file", partial(_private, name), LOOKED_AT)
        yield Row(9, f"{name} is a pipe", partial(StrangeRun.fifo, name=name), LOOKED_AT)
    for name in NEW:
        yield Row(5, f"{name} is a link to a file", partial(_private, name), LOOKED_AT)
    for name in (*NEW[:3], "checkpoints/new.ckpt", "figures/new.png"):
        yield Row(5, f"{name} is a link to nothing", partial(_dangling, name), LOOKED_AT)
    for name in FOLDERS:
        yield Row(5, f"{name} is a link to a folder", partial(_folder, name), LOOKED_AT)
    for name in ("metrics.csv", "config.yaml", "checkpoints/best.ckpt", "notes"):
        yield Row(9, f"{name} is a link to a device", partial(_device, name), LOOKED_AT)
        yield Row(9, f"{name} is a link to a pipe", partial(_piped, name), LOOKED_AT)
    yield Row(5, "a link to itself", lambda run: run.link("loop", "loop"), LOOKED_AT)
    yield Row(5, "a link to the folder", lambda run: run.link("figures/up", ".."), LOOKED_AT)
    yield Row(5, "a link within the folder", _within, LOOKED_AT)
    yield Row(5, "a link deep below", _deep, LOOKED_AT)
    yield Row(9, "a socket", _socket, LOOKED_AT)
    yield Row(9, "a device", _made_device, LOOKED_AT)
    yield Row(5, "command.txt has another name outside", partial(_second_name, "command.txt"))
    yield Row(5, "results.json has another name outside", partial(_second_name, "results.json"))
    yield Row(5, "last.ckpt has another name outside",
              partial(_second_name, "checkpoints/last.ckpt"))  # fmt: skip
    for name in PATHS:
        yield Row(7, f"a figure is called {ascii(name)[:30]}", partial(_figure, name))
        yield Row(7, f"a metric is called {ascii(name)[:30]}", partial(_metric, name))
        yield Row(7, f"a number is called {ascii(name)[:30]}", partial(_number, name))
        yield Row(7, f"the set is called {ascii(name)[:30]}", partial(_set, name))


def _private(name: str, run: StrangeRun) -> None:
    """A file that could be read or written in the place of the run's."""
    content = (run / name).read_bytes() if (run / name).is_file() else b""
    kind = "private.txt" if not content else f"private_{name.replace('/', '_')}"
    if content:
        (run.outside / kind).write_bytes(content)
    run.link(name, run.outside / kind)


def _dangling(name: str, run: StrangeRun) -> None:
    run.link(name, run.outside / "hit")


def _folder(name: str, run: StrangeRun) -> None:
    """All of a folder lies elsewhere."""
    path, there = run / name, run.outside / "there"
    if path.is_dir():
        path.rename(there)
    else:
        there.mkdir()
    path.symlink_to(there)


def _device(name: str, run: StrangeRun) -> None:
    run.link(name, "/dev/zero")


def _piped(name: str, run: StrangeRun) -> None:
    os.mkfifo(run.outside / "pipe")
    run.link(name, run.outside / "pipe")


def _within(run: StrangeRun) -> None:
    (run / "checkpoints/best.ckpt").rename(run / "checkpoints/real.ckpt")
    run.link("checkpoints/best.ckpt", "real.ckpt")


def _deep(run: StrangeRun) -> None:
    (run / "a/b/c/d").mkdir(parents=True)
    run.link("a/b/c/d/e", run.outside / "private.txt")


def _socket(run: StrangeRun) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(".", os.O_RDONLY)
        try:  # the path of a socket may have a hundred letters
            os.chdir(run.path)
            made.bind("s")
        finally:
            os.fchdir(here)
            os.close(here)


def _made_device(run: StrangeRun) -> None:
    try:
        os.mknod(run / "null", 0o20666, os.makedev(1, 3))
    except PermissionError:  # only root makes devices
        run.fifo("null")


def _second_name(name: str, run: StrangeRun) -> None:
    os.link(run / name, run.outside / "private_name")


def _figure(name: str, run: StrangeRun) -> None:
    run.everywhere(lambda config: config["figure"].update({name: config["figure"]["samples"]}))


def _metric(name: str, run: StrangeRun) -> None:
    change = {name: {"_target_": "vae_cli.metric.active_units.ActiveUnits", "samples": 2,
                     "threshold": 0.01}}  # fmt: skip
    run.everywhere(lambda config: config["metric"].update(change))


def _number(name: str, run: StrangeRun) -> None:
    run.json("results.json", lambda found: found.update({f"test/{name}": 1.0, name: 2.0}))
    run.json("evaluation.json", lambda found: found["test"].update({name: 1.0}))
    run.json("evaluation.json", lambda found: found.update({name: found["test"]}))


def _set(name: str, run: StrangeRun) -> None:
    run.everywhere(put("data.name", name))
    run.everywhere(put("run_id", name))
    run.everywhere(put("logger.name", name))
