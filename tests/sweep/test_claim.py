"""A folder belongs to one sweep, and earns no trust."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from vae_cli.commands.train import main
from vae_cli.errors import ConfigError
from vae_cli.run.files import write_json
from vae_cli.sweep import driver, job
from vae_cli.sweep.folder import SweepFolder
from vae_cli.sweep.strategy import Job

SWEEP = ["-m", "seed=0,1", "figure=[]", "metric=[]", "hydra.sweep.dir=sweep"]
AT_ONCE = 20


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What each job of a sweep is given; they leave results at once."""
    monkeypatch.chdir(tmp_path)
    found = list[list[str]]()

    def finish(sweeper: int, cfg: DictConfig) -> None:
        hydra = HydraConfig.get()
        found.append([*hydra.overrides.task])
        write_json(Path(hydra.sweep.dir, hydra.sweep.subdir, "results.json"), {"seed": cfg.seed})

    monkeypatch.setattr(driver, "run_job", finish)
    monkeypatch.setattr(job, "_is_warm", lambda *_: False)
    return found


def test_sweeps_of_one_instant_have_folders_of_their_own(tmp_path: Path) -> None:
    start = Barrier(AT_ONCE)

    def create(_: int) -> Path:
        start.wait()
        return SweepFolder.create(str(tmp_path / "sweeps" / "now"), is_named=False).path

    with ThreadPoolExecutor(AT_ONCE) as pool:
        paths = [*pool.map(create, range(AT_ONCE))]
    assert len({*paths}) == AT_ONCE and all(path.is_dir() for path in paths)


def test_a_folder_is_held_by_one_sweep(
    given: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with SweepFolder.create("sweep", is_named=True).held(is_new=True):
        assert main(SWEEP) == 2
        message = capsys.readouterr().err
        assert message.startswith("vae-train: sweep: process") and message.count("\n") == 1
        SweepFolder("sweep").add([Job("seed=0", ["seed=0"])])
        assert main([*SWEEP, "sweep.resume=sweep"]) == 2
        assert capsys.readouterr().err.startswith("vae-train: sweep: process")
    assert not given
    assert main([*SWEEP]) == 2  # there is a sweep now
    assert "Try sweep.resume=sweep" in capsys.readouterr().err


def test_a_mistake_leaves_no_folder(
    given: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SWEEP, "optimizer.lr=interval(1e-3,1e-2)"]) == 2
    assert "List values" in capsys.readouterr().err and not Path("sweep").exists()


def test_trust_comes_from_the_command_line_alone(given: list[list[str]]) -> None:
    assert main([*SWEEP, "trust=true"]) == 0
    assert [text for texts in given for text in texts if "trust" in text] == ["trust=true"] * 2
    jobs = Path("sweep/jobs.yaml")
    assert "trust" not in jobs.read_text(encoding="utf-8")
    given.clear()
    Path("sweep/seed-0/results.json").unlink()
    text = jobs.read_text(encoding="utf-8")
    jobs.write_text(text.replace("seed-0:\n", "seed-0:\n- ++trust=true\n"), encoding="utf-8")
    assert "++trust" in jobs.read_text(encoding="utf-8")
    assert main([*SWEEP, "sweep.resume=sweep"]) == 0
    assert len(given) == 1 and "seed=0" in given[0] and "trust" not in str(given)
    Path("sweep/seed-0/results.json").unlink()
    assert main([*SWEEP, "sweep.resume=sweep", "trust=true"]) == 0
    assert "trust=true" in given[1]


@pytest.mark.parametrize(
    "content",
    [
        "../outside: [seed=0]", "/outside: [seed=0]", "a: {b: c}", "- seed=0", "a: [1]",
        "a: &x [seed=0]\nb: *x", "a: !!python/name:os.system ''",
    ],
)  # fmt: skip
def test_a_list_of_jobs_is_plain(content: str, tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^sweep.resume=.*Start the sweep anew"):
        SweepFolder(tmp_path).known_jobs()


@pytest.mark.parametrize("name", ["results.json", "job.json"])
def test_a_damaged_job_counts_as_one_without_results(name: str, tmp_path: Path) -> None:
    (tmp_path / "seed=0").mkdir()
    (tmp_path / "seed=0" / name).write_text("[1]", encoding="utf-8")
    folder = SweepFolder(tmp_path)
    assert folder.results_of(Job("seed=0", [])) is None
    assert folder.why("seed=0") == "did not finish"
