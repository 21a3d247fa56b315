"""Valid runs with something changed at random, each a function of its number."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from good_runs import SETTINGS
from random_changes import PARTS, a_value, change, places, within
from rows import Row
from rows_parts import TARGETS
from rows_resume import FORCED, OVERRIDES
from rows_text import TEXTS
from strange_run import CHECKPOINTS, YAMLS, StrangeRun, dump, seal

MODELS = [*SETTINGS, "m1_m2"]
# How often each opening is tried; an export takes long.
OPENINGS = {
    "eval": 8, "sample": 6, "stacked": 2, "finetune": 5, "export": 1, "load": 12, "resume": 6,
    "stage": 3, "report": 8, "compare": 4, "csv": 3, "markdown": 3, "latex": 3,
}  # fmt: skip
FILES = [
    "config.yaml", "composed.yaml", "overrides.yaml", "results.json", "evaluation.json",
    "evaluation.npz", "finetune.json", "metrics.csv", "command.txt", "environment.txt", "lock",
    "checkpoints/best.ckpt", "checkpoints/last.ckpt", "checkpoints", "figures",
]  # fmt: skip
NEW = ["checkpoints/new.ckpt", "evaluation.json.new", "figures/a.png", "m1", "report.html", "x/y"]


class Case(NamedTuple):
    """A mutation.

    Attributes:
        row: The run to spoil, and how.
        opening: How it is opened.
    """

    row: Row
    opening: str


Mutator = Callable[[Random, StrangeRun], object]


def case(number: int) -> Case:
    """The case of a number: always the same."""
    random = Random(f"hostile run {number}")
    model = random.choice(MODELS)
    count = random.choice([1, 1, 1, 2, 3])
    chosen, seed = random.choices(MUTATORS, k=count), random.random()
    (opening,) = random.choices([*OPENINGS], [*OPENINGS.values()])

    def spoil(run: StrangeRun) -> None:
        again = Random(seed)
        for mutate in chosen:
            try:
                mutate(again, run)
            except Exception:  # torch, yaml and json raise what they like
                continue  # an earlier one has left nothing to change

    named = "+".join(mutate.__name__ for mutate in chosen)
    return Case(Row(0, f"{number}: {model}, {named}", spoil, base=model), opening)


def a_configuration(random: Random, run: StrangeRun) -> None:
    """The configuration, in one file or the same in all."""
    seed = random.random()
    where = random.choice(["everywhere", "everywhere", "checkpoints", *YAMLS])

    def changed(config: dict[str, Any]) -> None:
        change(Random(seed), config)

    if where == "everywhere":
        run.everywhere(changed)
    elif where == "checkpoints":
        run.checkpoint_config(changed)
    else:
        run.yamls(changed, [where])


def a_target(random: Random, run: StrangeRun) -> None:
    """What is built somewhere, in every file."""
    target = random.choice([*TARGETS.values(), *PARTS])
    number = random.random()

    def changed(config: dict[str, Any]) -> None:
        paths = [path for path in places(config) if path[-1] == "_target_"]
        path = paths[int(number * len(paths))]
        within(config, path[:-1])["_target_"] = target

    run.everywhere(changed)


def an_override(random: Random, run: StrangeRun) -> None:
    """What its user chose."""
    texts = random.choice([*OVERRIDES.values(), [random.choice(sorted(FORCED))]])
    key = random.choice(["network", "seed", "model.latent_dim", "data", "optimizer.lr", "trust"])
    sign = random.choice(["", "", "+", "++", "~"])
    more = [f"{sign}{key}={a_value(random)}"] if random.random() < 0.5 else []
    short = [text.replace("OUTSIDE", str(run.outside))[:5000] for text in texts]
    run.overrides(*short, *more)


def a_state(random: Random, run: StrangeRun) -> None:
    """What a checkpoint holds beside its configuration."""
    seed = random.random()

    def changed(state: dict[str, Any]) -> None:
        again = Random(seed)
        key = again.choice([*state])
        if isinstance(state[key], (dict, list)) and state[key] and again.random() < 0.7:
            change(again, state[key])
        else:
            state[key] = a_value(again)

    run.checkpoint(changed, again_names(random))


def a_tensor(random: Random, run: StrangeRun) -> None:
    """A weight of another shape, type or value."""
    number, how = random.random(), random.randrange(8)

    def changed(state: dict[str, Any]) -> None:
        weights = state["state_dict"]
        name = [*weights][int(number * len(weights))]
        tensor = weights[name]
        weights[name] = [
            tensor.new_zeros(0), tensor.double(), tensor.to(torch.int8), tensor * torch.nan,
            tensor.new_zeros(1).expand(10**6, 10**6), tensor.reshape(-1), tensor.to(torch.bool),
            tensor.to(torch.complex64),
        ][how]  # fmt: skip

    run.checkpoint(changed, again_names(random))


def again_names(random: Random) -> list[str]:
    """Which checkpoints."""
    return random.choice([[*CHECKPOINTS], [CHECKPOINTS[0]], [CHECKPOINTS[1]]])


def numbers(random: Random, run: StrangeRun) -> None:
    """A file of numbers."""
    name = random.choice(["results.json", "evaluation.json", "finetune.json"])
    content = json.loads((run / name).read_text())
    for _ in range(random.choice([1, 1, 3])):
        change(random, content)
    (run / name).write_text(json.dumps(content))


def bytes_of_a_file(random: Random, run: StrangeRun) -> None:
    """A file that is cut off, altered or repeated."""
    path = run / random.choice(FILES[:-2])
    content = bytearray(path.read_bytes())
    how = random.randrange(4)
    if how == 0:
        del content[random.randrange(len(content) + 1) :]
    elif how == 1:
        content += random.randbytes(random.randrange(1, 100))
    elif how == 2:
        content = content[random.randrange(len(content) + 1) :] + content
    else:
        for _ in range(random.choice([1, 3, 20])):
            content[random.randrange(len(content))] = random.randrange(256)
    path.write_bytes(content)


def a_file(random: Random, run: StrangeRun) -> None:
    """A link, a pipe, a folder, nothing or text where there was a file, or none."""
    name = random.choice([*FILES, *NEW])
    how = random.randrange(6)
    if how == 0:
        run.link(name, random.choice([run.outside / "private.txt", run.outside / "hit", "/dev/zero",
                                      run.outside, "..", name]))  # fmt: skip
    elif how == 1:
        run.fifo(name)
    elif how == 2:
        run.folder(name)
    elif how == 3:
        run.cleared(name)
    elif how == 4:
        run.write(name, random.choice([*TEXTS.values()]).encode("utf-8", "replace"))
    else:
        run.write(name, dump(a_value(random)))


def another_runs_file(random: Random, run: StrangeRun) -> None:
    """A file of a run of another model."""
    other = run.outside.parent / "good" / random.choice(MODELS)
    name = random.choice(FILES[:-2])
    if (other / name).is_file():
        run.write(name, (other / name).read_bytes())


def a_line(random: Random, run: StrangeRun) -> None:
    """A line of a text that people read."""
    name = random.choice(["metrics.csv", "command.txt", "environment.txt"])
    lines = (run / name).read_bytes().split(b"\n")
    text = random.choice([*TEXTS.values()]).encode("utf-8", "replace")
    at = random.randrange(len(lines))
    lines[at] = random.choice([text, lines[at] + b"," + text, text + b"," + lines[at], b""])
    run.write(name, b"\n".join(lines))


def within_the_first(random: Random, run: StrangeRun) -> None:
    """The same of the first stage, where there is one."""
    first = run.first_stage()
    mutate = random.choice([a_configuration, a_target, an_override, a_state, a_file])
    mutate(random, first if Path(first.path).is_dir() else run)


def a_checkpoint_of_anything(random: Random, run: StrangeRun) -> None:
    """A checkpoint that holds something else."""
    seal(a_value(random), run / "checkpoints" / random.choice(CHECKPOINTS))


MUTATORS: list[Mutator] = [
    a_configuration, a_configuration, a_configuration, a_target, a_target, an_override, an_override,
    a_state, a_state, a_tensor, numbers, bytes_of_a_file, a_file, another_runs_file, a_line,
    within_the_first, a_checkpoint_of_anything,
]  # fmt: skip
