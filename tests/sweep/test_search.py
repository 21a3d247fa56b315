"""A search proposes jobs, records results, counts failures and continues; no training here."""

import json
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from spaces import choices

from vae_cli.commands.train import main
from vae_cli.errors import ConfigError, InvalidOption, VaeCliError
from vae_cli.run.folder import RunFolder
from vae_cli.sweep import search as module
from vae_cli.sweep.folder import Ending, SweepFolder
from vae_cli.sweep.search import Search
from vae_cli.sweep.strategy import Job
from vae_cli.training.study import TRIAL, Trial

STOPPED, PRUNED = 75, 76
QUICK = ["trainer.progress=false", "logger=none", "metric=[]", "figure=[]"]
Outcome = Mapping[str, Any] | int  # results, or the exit code where there are none
Numbers = dict[str, float]


PLANE = choices("x=interval(-5,5)", "y=interval(-5,5)", "seed=3")


def hill(at: Numbers) -> Outcome:
    return {"validation/elbo": -((at["x"] - 1) ** 2) - (at["y"] + 2) ** 2}


class Launcher:
    """Gives each job the result that a function of its settings has."""

    def __init__(self, folder: Path, outcome: Callable[[Numbers], Outcome], stop: int = 0) -> None:
        self.folder, self.outcome = SweepFolder(folder), outcome
        self.stop = stop  # during so manieth job
        self.jobs: list[Job] = []

    def __call__(self, jobs: Sequence[Job]) -> list[Mapping[str, Any] | None]:
        self.folder.add(jobs)
        for job in jobs:
            if self.folder.results_of(job) is None:
                self._run(job)
        return [self.folder.results_of(job) for job in jobs]

    def _run(self, job: Job) -> None:
        self.jobs.append(job)
        pairs = [text.split("=") for text in job.overrides]
        outcome = self.outcome({key: float(value) for key, value in pairs})
        if len(self.jobs) == self.stop:
            self.folder.stop.touch()
            outcome = STOPPED
        place = self.folder.path / job.name
        place.mkdir(exist_ok=True)
        if not isinstance(outcome, int):
            (place / "results.json").write_text(json.dumps(outcome))
        self.folder.write_ending(job.name, Ending(outcome if isinstance(outcome, int) else 0, 1.0))


def search(folder: Path, outcome: Callable[[Numbers], Outcome] = hill, space: Any = PLANE,
           stop: int = 0, trust: bool = False, **options: Any) -> Launcher:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)  # a sweep has claimed it
    launcher = Launcher(folder, outcome, stop)
    launcher.folder.stop.unlink(missing_ok=True)
    Search(**{"trials": 8, **options}).run(space, str(folder), launcher, trust)
    return launcher


def study_in(folder: Path, name: str = "") -> optuna.Study:
    storage = f"sqlite:///{folder / 'study.db'}"
    return optuna.load_study(study_name=name or folder.name, storage=storage)


def states_in(folder: Path) -> list[str]:
    return [trial.state.name for trial in study_in(folder).trials]


@pytest.mark.parametrize(("options", "said"), [
    ({"objectives": ["test/elbo"]}, r"objectives=test/elbo: a best .* Try validation/elbo\."),
    ({"objectives": ["-test/elbo"]}, "looks too good"),
    ({"objectives": []}, "needs one or more"),
    ({"objectives": ["parameters", "-parameters"]}, "one or more different names"),
    ({"objectives": ["validation/elbo", "-parameters"], "pruner": "median"}, "Try pruner=no"),
    ({"objectives": ["validation/elbo", "-parameters"], "sampler": "cmaes"}, "one objective"),
    ({"objectives": ["-train/seconds"], "pruner": "median"}, "is not known while"),
    ({"sampler": "grid"}, "needs one of tpe, cmaes, nsga2, random"),
    ({"trials": 0}, "of at least 1"),
])  # fmt: skip
def test_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidOption, match=said):
        Search(**options)


def test_without_optuna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGES", ("optuna", "no_such_package"))
    with pytest.raises(VaeCliError, match=r"^sweep=optuna: needs .* 'vae-cli\[optuna\]'\.$"):
        Search()


def test_names_and_overrides(tmp_path: Path) -> None:
    space = choices("b=1,2", "lr=tag(log,interval(1e-4,1e-2))", "seed=3")
    (job,) = search(tmp_path, lambda at: {"validation/elbo": 0.0}, space, trials=1).jobs
    chosen = study_in(tmp_path).trials[0].params
    assert job.name == f"trial-000__b-{chosen['b']}__lr-{chosen['lr']:.4g}"
    assert job.overrides == ["seed=3", f"b={chosen['b']}", f"lr={chosen['lr']}"]
    assert not job.environment


@pytest.mark.parametrize(("sampler", "trials"), [("tpe", 25), ("cmaes", 40)])
def test_better_than_chance(tmp_path: Path, sampler: str, trials: int) -> None:
    search(tmp_path, trials=trials, sampler=sampler)
    points = np.random.default_rng(0).uniform(-5, 5, (1000, trials, 2))
    by_chance = -((points - [1, -2]) ** 2).sum(-1).min(-1)  # of so many searches
    assert study_in(tmp_path).best_value > np.median(by_chance)


def test_a_pickle_in_a_folder_needs_trust(tmp_path: Path) -> None:
    search(tmp_path, trials=3, sampler="cmaes", stop=2)
    with pytest.raises(ConfigError, match="trust=true"):
        search(tmp_path, trials=3, sampler="cmaes")
    search(tmp_path, trials=3, sampler="cmaes", trust=True)
    assert states_in(tmp_path) == ["COMPLETE"] * 3


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_several_objectives(
    tmp_path: Path, sampler: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def both(at: Numbers) -> Outcome:
        return {"validation/elbo": -(at["x"] ** 2) - at["y"] ** 2, "parameters": abs(at["x"] - 2)}

    names = ["validation/elbo", "-parameters"]
    search(tmp_path, both, objectives=names, sampler=sampler)
    study = study_in(tmp_path)
    assert study.metric_names == ["validation/elbo", "parameters"]
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    values = [trial.values for trial in study.trials]
    front = {
        i for i, (elbo, size) in enumerate(values)
        if not any(e >= elbo and s <= size and [e, s] != [elbo, size] for e, s in values)
    }  # fmt: skip
    assert {trial.number for trial in study.best_trials} == front
    assert capsys.readouterr().out.count("best ") == min(len(front), 5)


def test_failures_are_counted(tmp_path: Path) -> None:
    def sometimes(at: Numbers) -> Outcome:
        if at["x"] < -2:
            return 1
        return {"validation/elbo": math.nan} if at["x"] > 2 else hill(at)

    search(tmp_path, sometimes, sampler="random", trials=12, failures=12)
    xs = [(trial.state.name, abs(trial.params["x"]) > 2) for trial in study_in(tmp_path).trials]
    assert {*xs} == {("FAIL", True), ("COMPLETE", False)}


def test_too_many_failures_end_it(tmp_path: Path) -> None:
    with pytest.raises(VaeCliError, match=r"sweep\.failures=2: 3 trials failed, .* trial-002"):
        search(tmp_path, lambda at: 1, failures=2)
    assert states_in(tmp_path) == ["FAIL"] * 3
    with pytest.raises(VaeCliError, match="3 trials failed"):  # not asked for again
        search(tmp_path, resume=str(tmp_path), failures=2)
    search(tmp_path, resume=str(tmp_path), failures=3)
    assert states_in(tmp_path) == ["FAIL"] * 3 + ["COMPLETE"] * 5


def test_pruned_is_not_failed(tmp_path: Path) -> None:
    def hopeless(at: Numbers) -> Outcome:
        return PRUNED if at["x"] < 0 else hill(at)

    launcher = search(tmp_path, hopeless, sampler="random", failures=0)
    assert {*states_in(tmp_path)} == {"PRUNED", "COMPLETE"}
    assert launcher.folder.is_pruned(launcher.jobs[states_in(tmp_path).index("PRUNED")].name)
    assert not search(tmp_path, resume=str(tmp_path)).jobs


def test_stop_and_resume(tmp_path: Path) -> None:
    first = search(tmp_path, stop=4)
    assert states_in(tmp_path) == ["COMPLETE"] * 3 + ["RUNNING"]
    second = search(tmp_path, resume=str(tmp_path))
    assert second.jobs[0] == first.jobs[3]
    assert len(second.jobs) == 5
    assert states_in(tmp_path) == ["COMPLETE"] * 8
    points = [tuple(trial.params.values()) for trial in study_in(tmp_path).trials]
    assert len({*points}) == 8  # the sampler has not begun again


def test_a_job_that_is_stopped_again_and_again(tmp_path: Path) -> None:
    with pytest.raises(VaeCliError, match=r"trial-000.* was stopped 3 times.*sweep\.resume"):
        search(tmp_path, lambda at: STOPPED)
    assert states_in(tmp_path) == ["RUNNING"]


def test_another_command(tmp_path: Path) -> None:
    search(tmp_path, trials=1)
    search(tmp_path, space=[*PLANE[::-1]], resume=str(tmp_path), trials=2)
    with pytest.raises(
        ConfigError, match=r"sweep\.resume=.* its trial-000.* was run with seed=3\."
    ):
        search(tmp_path, space=[*PLANE[:2], *choices("seed=4")], resume=str(tmp_path))


class Killed(BaseException):
    pass


def test_killed_driver(tmp_path: Path) -> None:
    def deadly(at: Numbers) -> Outcome:
        if study_in(tmp_path).trials[-1].number == 5:
            raise Killed
        return hill(at)

    with pytest.raises(Killed):
        search(tmp_path, deadly, concurrent=3)
    # Of its last three, trial 3 had ended, told nobody, and the others had not begun.
    assert states_in(tmp_path) == ["COMPLETE"] * 3 + ["RUNNING"] * 3
    done = SweepFolder(tmp_path).known_jobs()
    place = tmp_path / next(name for name in done if name.startswith("trial-003"))
    place.mkdir(exist_ok=True)
    (place / "results.json").write_text('{"validation/elbo": -7.0}')
    again = search(tmp_path, resume=str(tmp_path), concurrent=3)
    numbers = [int(job.name[6:9]) for job in again.jobs]
    assert numbers == [4, 5, 6, 7]
    assert study_in(tmp_path).trials[3].value == -7.0
    assert states_in(tmp_path) == ["COMPLETE"] * 8


def test_job_that_has_outlived_its_driver(tmp_path: Path) -> None:
    (stopped,) = search(tmp_path, stop=1).jobs
    with (
        RunFolder(tmp_path / stopped.name).held(),
        pytest.raises(VaeCliError, match="trains there"),
    ):
        search(tmp_path, resume=str(tmp_path))
    assert states_in(tmp_path) == ["RUNNING"]


@pytest.mark.parametrize("place", ["sqlite:///{}/shared.db", "{}/journal.log"])
def test_two_drivers_share(tmp_path: Path, place: str) -> None:
    shared = {"storage": place.format(tmp_path), "study": "ours"}
    first = search(tmp_path / "a", stop=2, **shared)
    second = search(tmp_path / "b", trials=6, **shared)
    assert [job.name[:9] for job in second.jobs] == [f"trial-00{i}" for i in (2, 3, 4, 5)]
    third = search(tmp_path / "a", trials=6, resume="a", **shared)
    assert third.jobs == first.jobs[1:]  # its own, which the other left alone
    points = [job.overrides for job in [*first.jobs, *second.jobs]]
    assert len({*map(tuple, points)}) == 6  # equal seeds, other choices


def test_same_seed_same_choices(tmp_path: Path) -> None:
    a, b = (search(tmp_path / name, trials=4).jobs for name in "ab")
    c = search(tmp_path / "c", trials=4, seed=1).jobs
    assert a == b
    assert a != c


def test_jobs_get_the_pruner(tmp_path: Path) -> None:
    (job,) = search(tmp_path, trials=1, pruner="median", warmup_epochs=3).jobs
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    expected = Trial(storage, tmp_path.name, 0, "validation/elbo", "median", 5, 3)
    assert Trial.from_text(job.environment[TRIAL]) == expected


@pytest.mark.parametrize(("options", "space", "said"), [
    ({"objectives": ["-parameters"]}, PLANE, "maximizes validation/elbo. Try another sweep.study"),
    ({}, choices("x=1,2", "y=interval(-5,5)", "seed=3"), "searches FloatDistribution"),
    ({"storage": "nosuch://place"}, PLANE, "sweep.storage=nosuch://place: can't be used"),
    ({"storage": "sqlite:////no/such/place.db"}, PLANE, "unable to open database file"),
])  # fmt: skip
def test_another_study(tmp_path: Path, options: dict[str, Any], space: Any, said: str) -> None:
    search(tmp_path, trials=1)
    with pytest.raises(VaeCliError, match=said):
        search(tmp_path, space=space, **options)
    assert states_in(tmp_path) == ["COMPLETE"]


def test_unknown_objective(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"validation/elbow: .* Did you mean validation/elbo\?"):
        search(tmp_path, objectives=["validation/elbow"])
    assert not SweepFolder(tmp_path).known_jobs()  # before anything runs
    with pytest.raises(ConfigError, match="my_number: a run has no such number"):
        search(tmp_path, objectives=["+my_number"])


@pytest.mark.parametrize(
    ("objective", "direction"),
    [
        ("validation/error", "MINIMIZE"), ("validation/reconstruction_error", "MINIMIZE"),
        ("validation/elbo", "MAXIMIZE"), ("train/seconds", "MINIMIZE"), ("-parameters", "MINIMIZE"),
        ("+validation/kl", "MAXIMIZE"), ("validation/kl", None), ("my_number", None),
    ],
)  # fmt: skip
def test_direction_is_the_declared_one(
    tmp_path: Path, objective: str, direction: str | None
) -> None:
    outcome = {objective.lstrip("+-"): 1.0}
    if direction is None:
        with pytest.raises(
            ConfigError, match=rf"{objective}: has no direction: .* Try -{objective}"
        ):
            search(tmp_path, lambda at: outcome, trials=1, objectives=[objective])
        return
    search(tmp_path, lambda at: outcome, trials=1, objectives=[objective])
    assert study_in(tmp_path).direction.name == direction


def test_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    search(tmp_path, trials=3)
    out = capsys.readouterr()
    best = study_in(tmp_path).best_trial
    assert f"best       trial-{best.number:03}__x-" in out.out
    assert f"validation/elbo={best.value:.6g}" in out.out
    assert f"optuna-dashboard sqlite:///{tmp_path / 'study.db'}" in out.out
    assert not out.err  # Optuna's own words
    with sqlite3.connect(tmp_path / "study.db") as file:
        assert file.execute("select count(*) from trials").fetchone() == (3,)
    assert best.state is TrialState.COMPLETE


def test_real_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of real runs, one too slow to learn is pruned, which is no failure."""
    monkeypatch.chdir(tmp_path)
    quick = [*QUICK, "data=digits", "trainer.max_epochs=2", "hydra.sweep.dir=s"]
    options = ["sweep=optuna", "sweep.trials=3", "sweep.pruner=median", "sweep.startup_trials=1"]
    space = ["optimizer.lr=0.003,0.00001", "sweep.sampler=random", "sweep.seed=8"]
    assert main(["-m", *options, *space, *quick]) == 0
    trials = study_in(tmp_path / "s").trials
    assert states_in(tmp_path / "s") == ["COMPLETE", "PRUNED", "COMPLETE"]
    assert [len(trial.intermediate_values) for trial in trials] == [2, 1, 2]
    done, pruned, _ = sorted(SweepFolder(tmp_path / "s").known_jobs())
    results = json.loads((tmp_path / "s" / done / "results.json").read_text())
    assert (
        trials[0].value == results["validation/elbo"] == max(trials[0].intermediate_values.values())
    )
    assert not (tmp_path / "s" / pruned / "results.json").exists()
    table = (tmp_path / "s" / "sweep.md").read_text()
    assert "pruned jobs" in table and "without results" not in table
