import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pages import Page, evaluate_run, make_run
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vae_cli.commands.report import main

HOSTILE = "<script>alert('x')</script>\"><img src=http://evil.example/x>"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_CLI_CONF", "")


def page(file: str) -> Page:
    return Page(Path(file).read_text(encoding="utf-8"))


def test_page_of_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    make_run(Path("one"))
    assert main(["run=one"]) == 0
    assert capsys.readouterr().out == "one/report.html\n"
    found = page("one/report.html")
    assert found.unclosed == []
    for part in (
        "-24.40",
        "± 0.30",
        "vae-train resume=here",
        "seed=0",
        "python 3.11",
        "latent_dim",
    ):
        assert part in found.text
    assert ["test/kl", "2.40 ± 0.06", "nats", "KL(q(z|x)‖p(z))"] in found.rows
    # Curves: two of the bound, one of the learning rate; a value that is no number is left out.
    assert len(found.all("polyline")) == 3
    assert "training -30.5, validation -29.75 at the end" in found.text
    assert "training: last -30.5, range -90.5 … -30.5" in found.text


def facts(found: Page) -> dict[str, str]:
    """What stands at the top: the first list of the page."""
    top = found.text.partition("log p(x)")[0].splitlines()
    lines = [line.strip() for line in top if line.strip()]
    start = lines.index(next(line for line in lines if line.startswith("model")))
    return dict(
        next((head, line.removeprefix(head)) for head in FACTS if line.startswith(head))
        for line in lines[start : start + len(FACTS)]
    )


FACTS = ("model", "data", "latent dimension", "parameters", "epochs", "seed", "date")


def test_top_says_what_runs_are() -> None:
    make_run(Path("a"), seed=0)
    make_run(Path("b"), -20.0, "planar", seed=1)
    assert main(["run=a"]) == 0 == main(["run=a,b"])
    alone, both = facts(page("a/report.html")), facts(page("report.html"))
    assert tuple(alone) == tuple(both) == FACTS
    assert list(alone.values())[1:] == ["digits", "2", "383,288", "20", "0", "2026-11-20 09:00 UTC"]
    assert (both["seed"], both["date"]) == ("0; 1", "2026-11-20 09:00 UTC … 2026-11-21 09:00 UTC")
    assert "planar" in both["model"] and "planar" not in alone["model"]


def test_one_legend_with_short_names() -> None:
    make_run(Path("outputs/digits/a"))
    make_run(Path("outputs/digits/b"))
    assert main(["run=outputs/digits/*"]) == 0
    html = Path("report.html").read_text(encoding="utf-8")
    legend = Page(html.partition('<ul class="legend">')[2].partition("</ul>")[0])
    assert legend.text.split() == ["a", "b", "training", "validation"]
    assert html.count('<ul class="legend">') == 1


def test_settings_of_many_columns_are_one() -> None:
    for name in ("a", "b"):
        with (make_run(Path(name), -20.0 - len(name)) / "config.yaml").open("a") as file:
            file.writelines(f"x{i}: {name}{i}\n" for i in range(9))
    assert main(["run=a,b"]) == 0
    found = page("report.html")
    (head,) = (row for row in found.rows if row and row[0] == "run")
    (row,) = (row for row in found.rows if row and row[0] == "b")
    assert head[-1] == "settings that differ" and len(head) == len(row) == 7
    assert row[-1] == ", ".join(f"x{i}=b{i}" for i in range(9))


def test_nothing_is_fetched_and_all_pictures_are_within() -> None:
    make_run(Path("one"))
    shutil.copy("one/figures/samples.png", "one/figures/latent_map.png")
    Path("one/figures/broken.png").write_text("no picture")
    assert main(["run=one"]) == 0
    found = page("one/report.html")
    names = {image["alt"] for image in found.all("img")}
    assert names == {"samples", "latent_map"}
    for image in found.all("img"):
        address, _, content = (image["src"] or "").partition(",")
        assert address == "data:image/png;base64"
        assert base64.b64decode(content) == Path(f"one/figures/{image['alt']}.png").read_bytes()
    assert not found.all("script") and not found.all("link") and not found.all("iframe")
    html = Path("one/report.html").read_text()
    assert "http://" not in html and "https://" not in html and "@import" not in html
    assert "url(" not in html.replace("url(#frame-", "")
    (policy,) = [m for m in found.all("meta") if "Content-Security" in (m.get("http-equiv") or "")]
    assert (policy["content"] or "").startswith("default-src 'none'")


def test_evaluation_comes_first_with_its_warnings() -> None:
    evaluate_run(make_run(Path("one")))
    assert main(["run=one"]) == 0
    found = page("one/report.html")
    assert "-24.35" in found.text.partition("Curves")[0]
    assert "30% of the images" in found.text
    assert ["log_likelihood", "≥ -24.35 ± 0.29", "nats", "log p(x), S = 500"] in found.rows


def test_several_runs_best_first_and_only_what_differs() -> None:
    make_run(Path("a"), -30.0, seed=0)
    make_run(Path("b"), -20.0, "planar", seed=1)
    make_run(Path("c"), -10.0, binarize="static")
    assert main(["run=*"]) == 0
    found = page("report.html")
    assert found.unclosed == []
    heads = ["run", "validation ELBO", "ELBO", "log p(x)", "KL", "active units"]
    tables = [row for row in found.rows if row and row[0] == "run"]
    # Static and dynamic pixels are never in one table, nor in one chart.
    assert tables == [[*heads, "posterior", "seed"], heads]
    b, a = sorted((row for row in found.rows if len(row) == 8 and row[0] in "ab"), reverse=True)
    assert (b[0], b[3], b[6:]) == ("b", "-20.00 ± 0.30", ["planar", "1"])
    assert (a[0], a[6:]) == ("a", ["diagonal", "0"])
    assert "a training: last -30.5, range -90.5 … -30.5" in found.text
    assert "c training" not in found.text
    assert [image["alt"] for image in found.all("img")] == ["samples"] * 3


def test_mixed_only_where_asked_for() -> None:
    make_run(Path("a"), -30.0)
    make_run(Path("c"), -10.0, binarize="static")
    assert main(["run=a,c", "mixed=true", "output=both.html"]) == 0
    found = page("both.html")
    (head,) = (row for row in found.rows if row and row[0] == "run")
    assert "data" in head and "mixed data" in found.text
    (row,) = (row for row in found.rows if row and row[0] == "c")
    assert "digits test, binarize=static (unknown)" in row


def test_whatever_stands_in_a_folder_is_escaped() -> None:
    folder = make_run(Path("x&<b>y"), overrides=[HOSTILE])
    picture = folder / "figures" / "<img src=x onerror=alert(1)>.png"
    shutil.copy(folder / "figures" / "samples.png", picture)
    with (folder / "command.txt").open("a") as file:
        file.write(HOSTILE)
    (folder / "environment.txt").write_text(HOSTILE)
    with (folder / "config.yaml").open("a") as file:
        file.write('extra: "</pre><script>alert(1)</script>"\n')
    make_run(Path("second"))
    for arguments in (["run=x&<b>y"], ["run=x&<b>y,second"]):
        assert main([*arguments, "output=page.html"]) == 0
        found = page("page.html")
        assert found.unclosed == [] and not found.all("script") and not found.all("b")
        assert not any("onerror" in attributes for _, attributes in found.elements)
        assert all((i["src"] or "").startswith("data:image/png") for i in found.all("img"))
        assert HOSTILE in found.text and "x&<b>y" in found.text


def test_unfinished_runs_have_pages() -> None:
    folder = make_run(Path("one"))
    for name in ("results.json", "metrics.csv", "command.txt", "environment.txt"):
        (folder / name).unlink()
    shutil.rmtree(folder / "figures")
    make_run(Path("two"))
    assert main(["run=one"]) == 0 and main(["run=one,two"]) == 0
    found = page("one/report.html")
    assert "has not finished" in found.text and not found.all("img") and not found.all("svg")
    rows = [row[0] for row in page("report.html").rows if row and row[0] in ("one", "two")]
    assert rows == ["two", "one"]  # what has no results is last


@pytest.mark.parametrize("logger", ["tensorboard", "csv", "none"])
def test_curves_of_real_runs(logger: str, vae_train: Callable[..., Path]) -> None:
    run = vae_train("trainer.max_steps=44", f"logger={logger}", "network.hidden_dims=[8]")
    assert main([f"run={run}"]) == 0
    found = page(f"{run}/report.html")
    assert "diagonal" in found.text
    assert len(found.all("polyline")) == (0 if logger == "none" else 8)


def test_old_pictures_are_counted_and_damaged_ones_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = make_run(Path("one"))
    (run / "checkpoints").mkdir()
    (run / "checkpoints/best.ckpt").write_bytes(b"best")
    about = PngInfo()
    about.add_text("checkpoint_sha256", "0")
    for number in range(7):
        Image.new("L", (6, 4)).save(run / f"figures/old{number}.png", pnginfo=about)
    names = [f"bad{number}.png" for number in range(7)]
    for name in names:
        (run / "figures" / name).write_bytes(b"no picture")
    assert main(["run=one"]) == 0
    err = capsys.readouterr().err
    assert "figures: left out 7 pictures of a checkpoint that was replaced" in err
    assert all(name in err for name in names) and "there is more" not in err


def test_a_run_with_a_link_is_one_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(Path("one"))
    (run / "report.html").symlink_to(run / "config.yaml")
    assert main(["run=one"]) == 2
    err = capsys.readouterr().err
    assert err.count("run=one") == 1 and "holds report.html, which is a symbolic link" in err
    assert "?" not in err


def test_only_a_report_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    make_run(Path("one"))
    assert main(["run=one", "output=page.html"]) == 0 == main(["run=one", "output=page.html"])
    Path("mine.html").write_text("<p>mine")
    assert main(["run=one", "output=mine.html"]) == 2
    assert "is there already, and not a report" in capsys.readouterr().err
    assert Path("mine.html").read_text() == "<p>mine"
    assert main(["run=one", "output=one/mine.html"]) == 2
    assert "is within the run" in capsys.readouterr().err
    assert main(["run=one", "output=one/report.html"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], ["run", "Try vae-report run="]),
        (["run=nowhere"], ["run=nowhere", "no such folder"]),
        (["run=no*"], ["run=no*", "pattern"]),
        (["run=one,nowhere"], ["run=nowhere"]),
        (["run=."], ["run=.", "is not a run, but holds 3"]),
        (["run=broken"], ["run=broken", "can't be read"]),
        (["run=bare"], ["run=bare", "can't be read"]),
        (["run=one", "output=page.pdf"], ["output=page.pdf", ".html"]),
        (["run=one", "output=gone/page.html"], ["output=gone/page.html", "no folder gone"]),
        (["run=one", "output=folder.html"], ["output=folder.html", "is a folder"]),
        (["run=one", "mixed=maybe"], ["mixed=maybe", "true or false"]),
        (["run=one", "outptu=x.html"], ["outptu=x.html", "output=x.html?"]),
        (["run=one", "posterior=planar"], ["posterior=planar", "no such key"]),
        (["one"], ["one", "key=value"]),
        (["run=one", "--nope"], ["--nope", "Try --help"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_mistakes_are_reported_in_one_line(
    arguments: list[str], said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(Path("one"))
    (make_run(Path("broken")) / "results.json").write_text("{")
    (make_run(Path("bare")) / "config.yaml").unlink()
    Path("folder.html").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vae-report: ")
    for part in said:
        assert part in line
    assert sorted(tmp_path.rglob("*")) == before


def test_help_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {key} " in shown for key in ("run", "output", "mixed"))
