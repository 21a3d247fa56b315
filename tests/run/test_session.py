"""What a command line asks for, whatever form its overrides have, and what is decided by it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from vae_cli.commands.parser import Parser
from vae_cli.commands.runs import find_run, places_of, runs_of
from vae_cli.commands.train import main
from vae_cli.config.request import Request
from vae_cli.errors import VaeCliError
from vae_cli.launch.launch import SHARED_FOLDER, find_launch
from vae_cli.launch.meeting import Meeting
from vae_cli.run.plan import Join, New, Process, Resume
from vae_cli.run.session import decide
from vae_cli.training.signals import Signals

FORMS = ("{key}={path}", "+{key}={path}", "++{key}={path}", "{key}='{path}'", '{key}="{path}"',
         "++{key}='{path}'")  # fmt: skip
M1 = "model.m1"
PATHS = ("run", "a b", "a,b", "it's", "c=d", "[e]", "größe", "x (1)")


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SHARED_FOLDER, raising=False)
    for name in PATHS:
        Path(name).mkdir()
        (Path(name) / "overrides.yaml").write_text("[latent_dim=3]", encoding="utf-8")


def preset(run: str) -> None:
    """An experiment of the user's that resumes a run."""
    file = Path("conf", "vae_cli", "experiment", "mine.yaml")
    file.parent.mkdir(parents=True)
    file.write_text(f"# @package _global_\nresume: {run}\n", encoding="utf-8")


def decided(*arguments: str) -> New | Resume | Join:
    request = Parser("train").read(arguments)
    nothing = lambda *_: None  # noqa: E731
    process = Process(find_launch(), Meeting(), Signals(), time.perf_counter(), nothing, nothing)
    return decide(request, process, find_run)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_key_names_the_same_run(form: str, path: str) -> None:
    if "'" in path and "'{path}'" in form:
        return  # the shell's word has no such quotes
    for command in ("eval", "sample", "finetune", "export", "report", "compare"):
        word = form.format(key="run", path=path)
        request = Parser(command, command == "compare", has_runs=True).read([word])
        assert runs_of(request) == places_of(request) == [path], command
    request = Parser("train").read([form.format(key=key, path=path) for key in ("resume", M1)])
    assert find_run("resume", request.value("resume")) == request.value(M1) == path


@pytest.mark.parametrize(
    ("form", "path"), [*((FORMS[0], path) for path in PATHS), *((f, "run") for f in FORMS[1:])]
)
def test_a_run_is_resumed_whatever_its_name(form: str, path: str) -> None:
    plan = decided(form.format(key="resume", path=path))
    assert isinstance(plan, Resume) and plan.folder.path == Path(path)
    assert plan.cfg.latent_dim == 3 and plan.cfg.resume is None


def test_null_names_no_run() -> None:
    for word in ("resume=null", "resume=", "++resume=null", "~resume"):
        assert isinstance(decided(word), New)


def test_a_key_is_given_once_except_for_runs() -> None:
    for words in (["resume=run", "++resume=a"], ["resume='run'", "~resume"], ["seed=1", "seed=1"]):
        with pytest.raises(VaeCliError, match="is given more than once"):
            Parser("train").read([*words, "latent_dim=2"])
    preset("run")
    assert decided("experiment=mine", "latent_dim=5").cfg.latent_dim == 5  # 3 in the run
    request = Parser("eval", has_runs=True).read(["run=run", "run=c=d"])
    assert runs_of(request) == ["run", "c=d"]


def test_what_is_no_run_is_refused_before_torch_is_imported() -> None:
    Path("empty").mkdir()
    code = "import sys; from vae_cli.commands.train import main; main(sys.argv[1:]); "
    code += "sys.exit('torch' in sys.modules)"
    for word in ("resume=empty", "resume=nowhere"):
        found = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True)
        assert found.returncode == 0 and f"vae-train: {word}: " in found.stderr


def test_a_preset_resumes_a_run() -> None:
    preset("a b")
    plan = decided("experiment=mine", "posterior=planar", "posterior.flow_length=2")
    assert isinstance(plan, Resume) and plan.folder.path == Path("a b")
    assert plan.cfg.resume is None and plan.cfg.latent_dim == 3
    assert isinstance(decided("experiment=mine", "resume=null"), New)
    assert isinstance(plan := decided("experiment=mine", "resume=run"), Resume)
    assert plan.folder.path == Path("run")


@pytest.mark.parametrize("words", [["resume=run"], ["++resume='run'"], ["experiment=mine"]])
def test_a_sweep_resumes_no_run(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    preset("run")
    assert main(["-m", *words, "seed=0,1"]) == 2
    assert "vae-train: resume: resumes one run. " in capsys.readouterr().err
    assert not Path("outputs").exists()


def test_auto_resumes_the_run_of_its_name_if_there_is_one() -> None:
    plan = decided("resume=auto", "run_id=t1")
    assert isinstance(plan, New) and plan.is_named and Path(plan.path).name == "t1"
    Path(plan.path).mkdir(parents=True)
    (Path(plan.path) / "overrides.yaml").write_text("[]", encoding="utf-8")
    assert isinstance(decided("resume=auto", "run_id=t1"), Resume)
    with pytest.raises(VaeCliError, match="Try run_id=SOME_NAME"):
        decided("resume=auto")


def test_a_process_of_a_run_joins_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARED_FOLDER, "run")
    assert isinstance(plan := decided("seed=1"), Join) and isinstance(plan.run, New)
    assert isinstance(plan := decided("resume=last"), Join) and isinstance(plan.run, Resume)
    assert plan.run.folder.path == Path("run")


def test_a_request_is_asked_by_key() -> None:
    texts = ["data=mnist", "++data.root='a b'", "seed=1", "+seed=2", "~prior"]
    request = Request.of("train", texts)
    assert request.value("seed") == 2 and request.values("seed") == [1, 2]
    assert request.value("data.root") == "a b" and request.value("prior") is None
    assert request.names("prior") and not request.names("dat") and not request.names("root")
    assert request.within("data").texts == ["data=mnist", "++data.root='a b'"]
    assert request.without("seed", "data").texts == ["++data.root='a b'", "~prior"]


def test_of_saved_and_new_overrides_the_last_of_each_counts() -> None:
    request = Request.of("train", ["seed=3", "++lr=1"])
    saved = ["seed=1", "++seed=2", "a=b"]
    assert request.after(saved).texts == ["++seed=2", "a=b", "seed=3", "++lr=1"]
