"""Which jobs a grid has, and what their folders are called."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from vae_cli.config.grammar import parsed
from vae_cli.errors import ConfigError
from vae_cli.sweep.folder import SweepFolder
from vae_cli.sweep.grid import Grid, jobs_of
from vae_cli.sweep.names import LONGEST, job_names
from vae_cli.sweep.strategy import Job

GRIDS: list[tuple[str, list[str]]] = [
    ("seed=1,2", ["seed-1", "seed-2"]),
    (
        "posterior=diagonal,planar latent_dim=3 seed=0,1",
        [
            "posterior-diagonal__seed-0", "posterior-diagonal__seed-1",
            "posterior-planar__seed-0", "posterior-planar__seed-1",
        ],
    ),
    ("seed=range(0,3)", ["seed-0", "seed-1", "seed-2"]),
    ("seed=choice(4,5)", ["seed-4", "seed-5"]),
    ("network.hidden_dims=[8],[8,9]", ["network.hidden_dims-8", "network.hidden_dims-8-9"]),
    (
        "optimizer/lr_schedule=cosine,constant",
        ["optimizer-lr_schedule-cosine", "optimizer-lr_schedule-constant"],
    ),
    ("kl_schedule.weight=0.5,1", ["kl_schedule.weight-0.5", "kl_schedule.weight-1"]),
    ("seed=3 latent_dim=2", ["run"]),
    ("seed=1,1,2 latent_dim=2,2", ["seed-1", "seed-2"]),  # each once
]  # fmt: skip


@pytest.mark.parametrize(("line", "names"), GRIDS)
def test_folders_are_named_by_what_varies(line: str, names: list[str]) -> None:
    jobs = jobs_of(OverridesParser.create().parse_overrides(line.split()))
    assert [job.name for job in jobs] == names
    keys = [text.partition("=")[0] for text in line.split()]
    for job in jobs:
        assert [text.partition("=")[0] for text in job.overrides] == keys


def test_a_job_is_known_by_its_settings(tmp_path: Path) -> None:
    """One value more changes the names of all; those that were there keep their folders."""
    folder, launched = SweepFolder(tmp_path), list[Sequence[Job]]()

    def launch(jobs: Sequence[Job]) -> list[None]:
        folder.add(jobs)
        launched.append(jobs)
        return [None] * len(jobs)

    parse = OverridesParser.create().parse_overrides
    Grid().run(parse(["seed=1", "latent_dim=2,3"]), str(tmp_path), launch)
    Grid().run(parse(["latent_dim=2,3", "seed=1,2"]), str(tmp_path), launch)
    assert [job.name for job in launched[0]] == ["latent_dim-2", "latent_dim-3"]
    assert [job.name for job in launched[1]] == [
        "latent_dim-2", "latent_dim-2__seed-2", "latent_dim-3", "latent_dim-3__seed-2",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="its latent_dim-2 was run with seed=1"):
        Grid().run(parse(["seed=5", "latent_dim=2,3"]), str(tmp_path), launch)


def test_range_is_no_grid() -> None:
    choices = OverridesParser.create().parse_overrides(["optimizer.lr=interval(0,1)"])
    with pytest.raises(ConfigError, match=r"optimizer\.lr=.*sweep=optuna"):
        jobs_of(choices)


def test_names_that_would_be_alike_or_too_long() -> None:
    settings: Sequence[list[str]] = [
        ["a=[1]"], ["a='1'"], ["a=1"], ["a=" + "x" * 400], ["+b=x y", "c='~/$d'"],
    ]  # fmt: skip
    names = job_names(settings)
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= LONGEST + 9
    assert all(shlex.quote(name) == name and parsed(f"output={name}").value() == name
               for name in names)  # fmt: skip
