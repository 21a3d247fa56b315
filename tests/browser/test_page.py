"""A report as a browser shows it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "report"))
from pages import Page, evaluate_run, make_run

from vae_cli.commands.report import main

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1000,3000")


@pytest.fixture(scope="module")
def browser() -> str:
    """A browser without a window."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium here")
    return found


@pytest.fixture
def html(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page of two runs, one with an evaluation."""
    monkeypatch.chdir(tmp_path)
    evaluate_run(make_run(tmp_path / "first"))
    make_run(tmp_path / "second", posterior="planar")
    assert main(["run=first,second"]) == 0
    return tmp_path / "report.html"


def open_in(browser: str, html: Path, *flags: str) -> str:
    command = [browser, *FLAGS, f"--user-data-dir={html.parent / 'profile'}", *flags]
    done = subprocess.run(
        [*command, html.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def test_browser_finds_what_was_written(browser: str, html: Path) -> None:
    shown = Page(open_in(browser, html, "--dump-dom"))
    written = Page(html.read_text(encoding="utf-8"))
    for tag in ("svg", "polyline", "img", "table", "article"):
        assert len(shown.all(tag)) == len(written.all(tag)) > 0
    assert shown.rows == written.rows
    assert [i["src"] for i in shown.all("img")] == [i["src"] for i in written.all("img")]


@pytest.mark.parametrize("scheme", [0, 1], ids=["dark", "light"])
def test_page_is_painted_in_its_own_colours(browser: str, html: Path, scheme: int) -> None:
    from PIL import Image

    picture = html.parent / "page.png"
    flag = f"--blink-settings=preferredColorScheme={scheme}"
    open_in(browser, html, flag, f"--screenshot={picture}")
    with Image.open(picture) as image:
        colors = {color for _, color in image.convert("RGB").getcolors(1 << 24) or ()}
    paper = ((0x14, 0x17, 0x1F), (0xFC, 0xFC, 0xFA))[scheme]
    curve = ((0x5A, 0xB4, 0xF0), (0x00, 0x72, 0xB2))[scheme]
    assert {paper, curve} <= colors


def test_page_can_be_printed(browser: str, html: Path) -> None:
    document = html.parent / "page.pdf"
    open_in(browser, html, f"--print-to-pdf={document}")
    assert document.read_bytes().startswith(b"%PDF") and document.stat().st_size > 10_000
