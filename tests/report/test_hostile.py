"""Runs that somebody has prepared: their texts stay texts, in every format."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from pages import CONFIG, EVALUATION, RESULTS, Page, make_run
from PIL import Image

from vae_cli import escape
from vae_cli.commands.compare import main as compare
from vae_cli.commands.report import main as report
from vae_cli.report.formats import FITTED

SECRET = "canary-of-the-environment"
TEXTS = [
    "\x1b[2J\x1b]0;title\x07gone",
    "first\nnote: second",
    "\u202etxt.exe\u2066",
    "[red]bold[/red] [link=http://evil.example]x[/link] :bomb:",
    "=HYPERLINK(\"http://evil.example\")",
    "+cmd|'/C calc'!A0",
    "-2+3+cmd",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "<script>alert(1)</script>",
    '"><img src=http://evil.example/x onerror=alert(1)>',
    "a | b `c` **d** [e](http://evil.example) www.evil.example &lt; $x$ ~~f~~ __g__",
    "```\n# heading\n```",
    "\\input{/etc/passwd} % $\\write18{id}$ ^^5c #1 ~ _ & {",
    "[2pt]\\\\*",
    "${oc.env:CANARY}",
    "{{ 7 * 7 }} {% raw %}",
    "\x00\x7f\x85\u2028",
    "\udcff",  # a byte that is no UTF-8, and in JSON half of a sign
    "../../etc/passwd",
    "x" * 5000,
]  # fmt: skip
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_CLI_CONF", "")
    monkeypatch.setenv("CANARY", SECRET)
    monkeypatch.setenv("COLUMNS", "300")


def make_hostile(path: Path, text: str) -> Path:
    """A run whose every text is one."""
    whole, text = text, text.replace("\udcff", "-")  # which yaml has no way to write
    folder, key = make_run(path, overrides=[f"optimizer.lr={text}", text]), whole[:400]
    config = {
        "data": {
            "_target_": "a.load",
            "name": text,
            "path": text,
            "binarize": text,
            text[:400]: text,
        },
        "model": {"_target_": text, "kind": text},
        "posterior": {"_target_": text},
        "optimizer": {"lr": text, "betas": [text, text]},
        "seed": text,
        text[:400]: text,
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    results = {**RESULTS, key: 1.0, f"test/{key}": 2.0, "data/images_sha256": key}
    (folder / "results.json").write_text(json.dumps(results))
    texts = {"data": key, "binarize": key, "checkpoint": key}
    (folder / "evaluation.json").write_text(json.dumps({"test": {**EVALUATION, **texts}}))
    for name in ("command.txt", "environment.txt"):
        (folder / name).write_text(whole, errors="surrogateescape")
    with (folder / "metrics.csv").open("w", newline="") as file:
        rows = [["step", "train/elbo", text], [1, -90.5, 3], [2, -30.5, text]]
        csv.writer(file).writerows(rows)
    name = whole.replace("/", "").replace("\x00", "")[:40]
    shutil.copy(folder / "figures" / "samples.png", folder / "figures" / f"{name}.png")
    return folder


@pytest.fixture
def runs() -> str:
    """A run for each of the texts, and one that is as it should be."""
    for number, text in enumerate(TEXTS):
        make_hostile(Path(f"runs/{number:02}"), text)
    make_run(Path("runs/good"), posterior="planar", seed=1)
    return "runs"


def compared(runs: str, form: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What vae-compare prints."""
    arguments = [runs, "mixed=true", "over=[]", "metrics=[elbo,log_likelihood]", f"format={form}"]
    assert compare(arguments) == 0
    found = capsys.readouterr()
    assert found.err == ""
    assert not UNSEEN.search(found.out) and SECRET not in found.out
    found.out.encode()
    return found.out


def test_terminal(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = compared(runs, "terminal", capsys)
    assert shown.count("-24.90 ± 0.31") == len(TEXTS) and "\t" not in shown
    for text in ("\\x1b[2J", "first\\nnote: second", "\\u202etxt", "[red]bold[/red]", ":bomb:"):
        assert text in shown
    assert "x" * 1000 not in shown and "xx…xx" in shown


def test_csv(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.reader(io.StringIO(compared(runs, "csv", capsys))))
    assert len(rows) == len(TEXTS) + 2 and len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert not any(cell.startswith(tuple("=+@＝\t\r\n")) for cell in cells)
    assert {cell for cell in cells if cell.startswith("-")} == {
        "-24.8",
        "-24.9",
        "-24.4",
        "-24.35",
    }
    assert {'\'=HYPERLINK("http://evil.example")', "'@SUM(1)", "'-2+3+cmd"} < {*cells}


def test_markdown(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = compared(runs, "markdown", capsys).strip().split("\n")
    assert len(lines) == len(TEXTS) + 7  # a title of three, an empty line, heads and a rule
    plain = [re.sub(r"\\[^\w\s]", "", line) for line in lines]  # what is escaped is gone
    assert len({line.count("|") for line in plain[4:]}) == 1
    assert not any(re.search(r"[`<\[*$&~#]|://|www\.", line) for line in plain)


def test_latex(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    title, *lines = compared(runs, "latex", capsys).strip().split("\n")
    assert title.startswith("% ") and len(lines) == len(TEXTS) + 12
    lines = [line for line in lines if not line.startswith(("% ", FITTED))]
    signs = r"\$(\\pm|\\Delta|\\geq|-)\$"
    known = rf"\\(begin|end)\{{tabular\}}(\{{[lr]+\}})?|\\(top|mid|bottom)rule|{signs}| \\\\$"
    escaped = (
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|dots)\{\}"
    )
    plain = [re.sub(rf"{known}|{escaped}|\\[&%$#_{{}}]", "", line) for line in lines]
    assert [line for line in plain if re.search(r"[\\$#^~_%]", line)] == []
    assert len({line.count("&") for line in plain if "&" in line}) == 1


def test_pages(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    several = [f"run={runs}/*", "mixed=true", "output=several.html"]
    assert report(several) == 0
    html = Path("several.html").read_text(encoding="utf-8")
    page = Page(html)
    assert page.unclosed == [] and not UNSEEN.search(html) and SECRET not in html
    assert len(page.all("article")) == len(TEXTS) + 1
    assert not page.all("script") and not page.all("a") and not page.all("b")
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert all((i["src"] or "").startswith("data:image/png") for i in page.all("img"))
    assert "<script>alert(1)</script>" in page.text and "\\u202etxt.exe" in page.text
    notes = capsys.readouterr().err.splitlines()
    assert all(note.startswith(f"note: {runs}/") and note.isprintable() for note in notes)


def test_interpolations_are_shown_as_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run(Path("one"), overrides=["seed=${oc.env:CANARY}"])
    text = CONFIG % ("diagonal", "Diagonal", 0)
    (folder / "config.yaml").write_text(text + "note: ${oc.env:CANARY}\nother: ${nowhere}\n")
    assert report(["run=one"]) == 0
    html = (folder / "report.html").read_text()
    assert "note: ${oc.env:CANARY}" in html and SECRET not in html
    assert compare(["one", "format=csv", "where=note!=x"]) == 0
    assert SECRET not in "".join(capsys.readouterr())


def test_many_runs_make_a_small_page(capsys: pytest.CaptureFixture[str]) -> None:
    first = make_run(Path("runs/000"))
    noise = np.random.default_rng(0).integers(256, size=(300, 400), dtype=np.uint8)
    Image.fromarray(noise).save(first / "figures" / "noise.png")
    curves = "\n".join(f"{step},{-100 + step / 9},{-99 + step / 9}" for step in range(1, 801))
    (first / "metrics.csv").write_text(f"step,train/elbo,validation/elbo\n{curves}\n")
    for number in range(1, 200):
        shutil.copytree(first, f"runs/{number:03}")
    assert report(["run=runs/*", "output=many.html"]) == 0 == report(["run=runs/000"])
    assert capsys.readouterr().err == ""
    size = Path("many.html").stat().st_size
    many = Page(Path("many.html").read_text(encoding="utf-8"))
    one = Page(Path("runs/000/report.html").read_text(encoding="utf-8"))
    assert size < 10 * 2**20
    assert len(many.all("article")) == 200 and 20 < len(many.all("img")) < 400
    assert "2 pictures. To see it: vae-report run=runs/199" in many.text
    assert "thinned" in many.text and len(many.all("polyline")) == 400
    assert len(one.all("img")) == 2 and "Left out" not in one.text and "thinned" not in one.text
    assert all(len((line["points"] or "").split()) == 401 for line in one.all("polyline"))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("-24.80", "-24.80"), ("+0.5", "+0.5"), ("-1e-05", "-1e-05"), ("1,024", "1,024"),
        ("-1.00 (-1.05 … -0.95)", "-1.00 (-1.05 … -0.95)"),
        ("", ""), ("a=b", "a=b"), ("a-b", "a-b"), ("-1 (=1 … 2)", "'-1 (=1 … 2)"),
        ("-", "'-"), ("-1-1", "'-1-1"), ("=1", "'=1"), (" =1", "' =1"), ("@x", "'@x"),
        ("\t1", "'\\t1"), ("\n=1", "'\\n=1"), ("＋1", "'＋1"),
    ],
)  # fmt: skip
def test_numbers_stay_numbers_in_a_spreadsheet(text: str, cell: str) -> None:
    assert escape.csv_cell(text) == cell
