"""A report as a browser shows it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.chromium import Chromium
from pages import Page, evaluate_run, make_run
from PIL import Image

from vae_cli.commands.report import main

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH_ON_PAPER = 703  # of what is printed on A4 between margins of 1.2 cm, at 96 dots an inch
LAST = ["This file needs no other"]  # words of a page
WIDER = """
[document.documentElement, ...document.querySelectorAll("div, th, td, pre")]
  .filter(part => part.scrollWidth > part.clientWidth + 1)
  .map(part => `${part.tagName} ${part.className}: ${part.textContent.slice(0, 40)}`)
"""
SIZE = """
(({width, height}) => [width, height])(
  document.querySelector(".picture img").getBoundingClientRect())
"""
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
    picture = html.parent / "page.png"
    flag = f"--blink-settings=preferredColorScheme={scheme}"
    open_in(browser, html, flag, f"--screenshot={picture}")
    with Image.open(picture) as image:
        colors = {color for _, color in image.convert("RGB").getcolors(1 << 24) or ()}
    paper = ((0x14, 0x17, 0x1F), (0xFC, 0xFC, 0xFA))[scheme]
    curve = ((0x5A, 0xB4, 0xF0), (0x00, 0x72, 0xB2))[scheme]
    assert {paper, curve} <= colors


@pytest.fixture
def chromium(browser: str, tmp_path: Path) -> Iterator[Chromium]:
    with Chromium(tmp_path / "profile") as page:
        yield page


def test_six_runs_are_whole_on_screen_and_on_eight_pages(
    chromium: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for i in range(6):
        run = make_run(tmp_path / f"a_very_long_name_of_a_run_{i}", -24.0 - i, seed=i)
        evaluate_run(run)
        with (run / "config.yaml").open("a") as file:
            file.writelines(f"option_{j}: {'value' * 3}{i}\n" for j in range(12))
        for name in ("latent_map", "manifold", "samples"):
            Image.new("L", (900, 900)).save(run / "figures" / f"{name}.png")
    assert main(["run=*_run_*"]) == 0
    html = (tmp_path / "report.html").as_uri()
    for width, is_printed in ((1280, False), (WIDTH_ON_PAPER, True)):
        chromium.show_as_printed(is_printed)
        chromium.open(html, LAST, width)
        assert chromium.value(WIDER) == []
    pages = chromium.printed().count(b"/Type /Page\n")
    assert 1 < pages <= 8


def test_picture_fills_the_window_from_the_keyboard(chromium: Chromium, html: Path) -> None:
    chromium.open(html.as_uri(), LAST, 1280)
    chromium.value("document.querySelector('.picture button').focus()")
    chromium.press("Enter", 13)
    width, height = chromium.value(SIZE)
    assert width > 1200 and height > 800
    chromium.press("Escape", 27)
    assert chromium.value(SIZE)[0] < 600
