"""Command lines with something wrong in them, each a function of its number."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf
from own_yamls import CONTENTS
from values import FLAGS, LEGAL, SWEEPS, VALUES

from vae_cli import conf

ROOT = Path(conf.__path__[0]).resolve()
OWN = "own"  # folder of the user's yamls
RUN = "trained"  # folder of a run

# Of each command what makes it brief; what is mutated comes behind.
BRIEF = {
    "train": [
        "trainer.fast_dev_run=true", "trainer.progress=false", "logger=none", "metric=[]",
        "figure=[]", "accelerator=cpu", "hydra.run.dir=run",
    ],
    "eval": [f"run={RUN}", "samples=2", "metric=[active_units]", "analysis=[]"],
    "sample": [f"run={RUN}", "what=samples", "output=drawn"],
    "report": [f"run={RUN}", "output=page.html"],
    "flow": ["energy=[wave]", "lengths=[1]", "steps=1", "restarts=1", "output=run"],
    "finetune": [f"run={RUN}", "labels=10", "steps=1"],
    "export": [f"run={RUN}", "format=torch_export", "output=exported"],
    "compare": [RUN],
}  # fmt: skip
SEVERAL = {"metric", "figure", "analysis", "energy"}  # groups of which several can be chosen
GROUPS = {  # of each command
    "train": [
        "data", "network", "likelihood", "posterior", "prior", "model", "objective", "kl_schedule",
        "optimizer", "trainer", "accelerator", "logger", "metric", "figure", "experiment",
    ],
    "eval": ["metric", "analysis"],
    "sample": ["figure"],
    "report": [],
    "flow": ["energy", "posterior"],
    "finetune": [],
    "export": [],
    "compare": ["reference"],
}  # fmt: skip
# Their values tell how long it takes, or how many processes there are: legal ones are not for here.
LONG = (
    "accelerator.devices", "accelerator.nodes", "steps", "restarts", "lengths", "fast_dev_run",
    "samples", "count", "draws", "images", "rows",
)  # fmt: skip


class Key(NamedTuple):
    """A key that is to be set.

    Attributes:
        name: As on the command line.
        choice: What it takes for it to be there; empty for nothing.
        value: Before the mutation.
    """

    name: str
    choice: str
    value: Any = None


class Case(NamedTuple):
    """A command line, and the user's own yamls that it finds."""

    command: str
    arguments: list[str]
    yamls: dict[str, bytes]


def case(number: int) -> Case:
    """The case of a number: always the same."""
    random = Random(f"command line {number}")
    command = random.choices(list(BRIEF), [12, 2, 2, 1, 2, 1, 1, 1])[0]
    mutator = random.choice(MUTATORS)
    found = mutator(random, command)
    if random.random() < 0.15:  # two mistakes at once
        second = random.choice(MUTATORS)(random, command)
        found = Case(command, found.arguments + second.arguments, found.yamls | second.yamls)
    return Case(command, [*brief(command, found.arguments), *found.arguments], found.yamls)


def brief(command: str, given: Sequence[str]) -> list[str]:
    """What makes a command brief, but for the keys that are given: no key may be given twice."""
    taken = {text.lstrip("+~").partition("=")[0] for text in given}
    return [text for text in BRIEF[command] if text.partition("=")[0] not in taken]


@cache
def keys(command: str) -> list[Key]:
    """Every key that the yamls of a command have."""
    found = [Key(n, "", v) for n, v in _leaves(OmegaConf.load(ROOT / f"{command}.yaml"))]
    for group in GROUPS[command]:
        for file in sorted((ROOT / group).rglob("*.yaml")):
            package = file.parent.relative_to(ROOT).as_posix()
            choice = f"{package}=[{file.stem}]" if group in SEVERAL else f"{package}={file.stem}"
            choice = choice.replace("figure=", "what=") if command == "sample" else choice
            if group not in ("experiment", "accelerator") or file.stem == "cpu":
                prefix = package.replace("/", ".")
                leaves = _leaves(OmegaConf.load(file))
                found += [Key(f"{prefix}.{n}", choice, v) for n, v in leaves]
    return [k for k in found if not k.name.startswith(("hydra", "defaults"))]


def _leaves(node: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if not isinstance(node, DictConfig):
        return []
    plain = OmegaConf.to_container(node)
    assert isinstance(plain, dict)
    found: list[tuple[str, Any]] = []
    for name, value in plain.items():
        found += [(f"{prefix}{name}", value), *_leaves(node._get_node(name), f"{prefix}{name}.")]
    return found


def options(group: str) -> list[str]:
    """The options of a group."""
    return [file.stem for file in sorted((ROOT / group).glob("*.yaml"))]


def a_value(random: Random, command: str) -> Case:
    """A key with a value that it may not take."""
    key = random.choice(keys(command))
    legal = ["3", "1_000", *LEGAL] if key.name.endswith(LONG) else []
    value = random.choice([v for v in VALUES if v not in legal]).replace("KEY", key.name)
    return Case(command, [*filter(None, [key.choice]), f"{key.name}={value}"], {})


def a_neighbour(random: Random, command: str) -> Case:
    """A key with a value much like its own: most of these are legal, and run."""
    key = random.choice([k for k in keys(command) if not k.name.endswith(LONG)])
    value = key.value
    if isinstance(value, bool):
        near = [str(not value)]
    elif isinstance(value, (int, float)):
        near = [f"{value + 1}", f"{value * 3}", f"{value / 10}", f"{value * 1e9}", "1", "0.5"]
    elif isinstance(value, list):
        near = [f"{value[:1]}", f"{value[::-1]}", f"{value * 2}"]
    else:
        near = LEGAL
    return Case(command, [*filter(None, [key.choice]), f"{key.name}={random.choice(near)}"], {})


def a_prefix(random: Random, command: str) -> Case:
    """A key that is added, forced or deleted."""
    key = random.choice([*keys(command), *(Key(group, "") for group in GROUPS[command])])
    text = random.choice(
        ["+K=V", "++K=V", "~K", "~K=V", "+K", "K", "K=", "=V", "K+=V", "K@a=V", "+K.a=V"]
    )
    if key.name.endswith(LONG):
        text = "~K"
    text = text.replace("K", key.name).replace("V", random.choice(VALUES[:30]))
    return Case(command, [*filter(None, [key.choice]), text], {})


def a_deletion(random: Random, command: str) -> Case:
    """A key, a group, or a part of Hydra's, that is deleted."""
    places = [Key(name, "") for name in (*GROUPS[command], "derived", "hydra", "hydra.run.dir")]
    key = random.choice([*keys(command), *places])
    return Case(command, [*filter(None, [key.choice]), f"~{key.name}"], {})


def a_typo(random: Random, command: str) -> Case:
    """A key or a group whose name has a letter too many, or not enough, or another."""
    key = random.choice(keys(command))
    names = [key.name, *GROUPS[command]]
    name = random.choice(names)
    at = random.randrange(len(name))
    letter = random.choice("aeiou.x_/@- é🦊")
    wrong = random.choice([name[:at] + name[at + 1 :], name[:at] + letter + name[at:], name[:at]])
    return Case(
        command, [*filter(None, [key.choice]), f"{wrong}={random.choice(['1', 'text'])}"], {}
    )


def options_at_once(random: Random, command: str) -> Case:
    """Several options of a group, or one that is none, in a list or one after the other."""
    group = random.choice([*GROUPS[command], "optimizer/lr_schedule", "nope"])
    if command == "train" and group == "accelerator":
        group = "posterior"
    some = random.choices([*options(group), "nope", "null", "", "1", "[]", "ünï"], k=2)
    form = random.choice(
        [
            "{0}=[{1},{2}]",
            "{0}=[{1}]",
            "{0}={1}|{0}={2}",
            "+{0}={1}",
            "{0}={1},{2}",
            "{0}={{a:{1}}}",
        ]
    )
    return Case(command, form.format(group, *some).split("|"), {})


def a_loop(random: Random, command: str) -> Case:
    """Keys that refer to each other."""
    one, other = random.sample(keys(command), 2)
    same = one.choice and other.choice and one.choice.split("=")[0] == other.choice.split("=")[0]
    other = one if same else other
    chosen = dict.fromkeys(k.choice for k in (one, other) if k.choice)
    return Case(
        command, [*chosen, f"{one.name}=${{{other.name}}}", f"{other.name}=${{{one.name}}}"], {}
    )


def a_flag(random: Random, command: str) -> Case:
    """A flag that there is not, or that lacks something."""
    flag = random.choice(FLAGS)
    if command == "train" and flag in ("-m", "--multirun=3"):
        flag = f"{flag} {random.choice(SWEEPS)}"
    return Case(command, flag.split(" "), {})


def some_noise(random: Random, command: str) -> Case:
    """What no grammar has."""
    letters = "=,.:[]{}()$\\'\"+~@/ abc019-_#%&*!?é🦊‮\x00\n\t\x7f"
    return Case(command, ["".join(random.choices(letters, k=random.randrange(1, 12)))], {})


def own_yaml(random: Random, command: str) -> Case:
    """A yaml of the user's that is broken, in use or not."""
    group = random.choice([*GROUPS[command], ""])
    name = random.choice(["mine", "mine", "mine", *(options(group) if group else [command])])
    path = f"{OWN}/{group}/{name}.yaml" if group else f"{OWN}/{name}.yaml"
    content = random.choice(CONTENTS)
    listed = f"[{name}]" if group in SEVERAL else name
    key = "what" if command == "sample" and group == "figure" else group
    used = [f"{key}={listed}"] if group and group != "accelerator" else []
    if not group and command == "train":
        used = [f"--config-name={name}"]
    return Case(command, [f"--config-dir={OWN}", *used], {path: content})


MUTATORS: list[Callable[[Random, str], Case]] = [
    a_value, a_value, a_value, a_neighbour, a_neighbour, a_neighbour, a_prefix, a_deletion, a_typo,
    options_at_once, a_loop, a_flag, some_noise, own_yaml,
]  # fmt: skip
