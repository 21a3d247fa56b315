"""Runs whose files are malformed: what can't be read is left out, and one line tells it."""

import io
import json
import math
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import EVALUATION, RESULTS, Page, make_run
from PIL import Image

from vae_cli.commands.compare import main as compare
from vae_cli.commands.report import main as report
from vae_cli.report.values import read_values
from vae_cli.run.recorded import is_number


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_CLI_CONF", "")
    monkeypatch.setenv("COLUMNS", "300")


def record_of(size: int, content: bytes) -> bytes:
    """A record of an event file that declares a size."""
    return struct.pack("<QI", size, 0) + content + bytes(4)


def png(width: int, height: int) -> bytes:
    """A PNG that declares so many pixels, whatever it holds."""
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "PNG")
    content = bytearray(file.getvalue())
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


Content = bytes | str | dict[str, Any] | Callable[[Path], None]
EVENTS = "events.out.tfevents.1.x"
# What stands in a file, and whether the run is left out by vae-compare, for it has no numbers then.
LEFT_OUT: list[tuple[str, Content]] = [
    ("config.yaml", ""),
    ("config.yaml", "- a\n- b\n"),
    ("config.yaml", "data: 3\nmodel: []\n"),
    ("config.yaml", "data: {_target_: [a]}\nmodel: {_target_: b}\n"),
    ("config.yaml", "a: &a [x, x]\nb: [*a, *a]\n"),
    ("config.yaml", "a: !!python/object/apply:os.system [id]\n"),
    ("config.yaml", "[" * 5000),
    ("config.yaml", b"\xff\xfe"),
    ("config.yaml", sparse),
    ("config.yaml", fifo),
    ("config.yaml", link("/dev/zero")),
    ("config.yaml", link("/etc/passwd")),
    ("overrides.yaml", "{a: 1}"),
    ("overrides.yaml", "[[a]]"),
    ("results.json", ""),
    ("results.json", "[1]"),
    ("results.json", "null"),
    ("results.json", '{"test/elbo": NaN}'),
    ("results.json", '{"test/elbo": 1' + "0" * 5000 + "}"),
    ("results.json", "[" * 100_000),
    ("results.json", sparse),
    ("results.json", fifo),
    ("results.json", link("/dev/zero")),
    ("results.json", link("../good/results.json")),
]
KEPT: list[tuple[str, Content]] = [
    ("evaluation.json", "[]"),
    ("evaluation.json", '{"test": {"elbo": Infinity}}'),
    ("evaluation.json", b"\x00"),
    ("results.json", {**RESULTS, "test/kl": "2.4"}),
    ("results.json", {**RESULTS, "test/kl": {"a": 1}}),
    ("results.json", {**RESULTS, "test/kl": [2.4]}),
    ("results.json", {**RESULTS, "test/kl": True}),
    ("results.json", {**RESULTS, "test/kl": 1e300}),
    ("results.json", {**RESULTS, "test/kl_se": "x", "latent_dim": [], "test/images": {}}),
    ("results.json", {**RESULTS, "data/images_sha256": 3, "test/log_likelihood_samples": "\x1b"}),
    ("results.json", json.dumps(RESULTS)[:-1] + ', "test/kl": 1e999}'),
    ("results.json", {**RESULTS, **{f"test/{n}": "x" for n in range(20_000)}}),
    ("evaluation.json", {"test": {**EVALUATION, "images": None, "checkpoint": 1.5}}),
    ("evaluation.json", {"test": {**EVALUATION, "binarize": {}, "dequantize": "yes", "data": 1}}),
    ("evaluation.json", {"test": {**EVALUATION, "mutual_information_images": "x"}}),
    ("evaluation.json", {"test": {**EVALUATION, "low_effective_sample_size": "much"}}),
    ("evaluation.json", {"test": []}),
    ("numbers.json", "[1]"),
    ("numbers.json", {"kl": {"larger_is_better": True}}),
    ("numbers.json", {"mine": {"meaning": "{kl.__class__}\n\x1b[2J"}}),
    ("numbers.json", fifo),
    ("numbers.json", link("/dev/zero")),
    ("evaluation.json", {"../../x": EVALUATION, "test\x1b": EVALUATION}),
    ("evaluation.json", {"test": {**EVALUATION, "split": "train", "elbo_se": -1e-320, "kl": "x"}}),
]
SILENT: list[tuple[str, Content]] = [  # what is no fault, or of no number
    ("results.json", {"test/elbo": -24.8}),
    ("results.json", {**RESULTS, "monitor": "validation/\x1b[2J" * 20}),
    ("results.json", {**RESULTS, "test/kl": None, "test/log_likelihood": None}),
    ("results.json", {**RESULTS, "test/kl": 0, "test/kl_se": 5e-324, "latent_dim": -1}),
    ("evaluation.json", {"test": {"elbo": -24.9}}),
    ("evaluation.json", {"test": {**EVALUATION, "mutual_information_images": -5}}),
    ("evaluation.npz", b"PK\x03\x04"),
    ("evaluation.npz", sparse),
    ("evaluation.npz", fifo),
    ("evaluation.npz", link("/dev/zero")),
]
BESIDE: list[tuple[str, Content]] = [  # what vae-report alone reads
    ("metrics.csv", b"\xff\x00\xff"),
    ("metrics.csv", "step,train/elbo\nx,1\n1e5,2\n-3,1\n"),
    ("metrics.csv", "step,train/elbo\n1,one\n2,{}\n"),
    ("metrics.csv", "step,train/elbo\n1," + "1" * 200_000 + "\n"),
    ("metrics.csv", sparse),
    ("metrics.csv", fifo),
    ("metrics.csv", link("/dev/zero")),
    (EVENTS, b"no events, but words that are many enough"),
    (EVENTS, record_of(1 << 62, b"")),
    (EVENTS, record_of(4, b"\xff\xff\xff\xff")),
    (EVENTS, sparse),
    (EVENTS, fifo),
    (EVENTS, link("/dev/zero")),
    ("figures/a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
    ("figures/a.png", b"\x89PNG\r\n\x1a\nand no more"),
    ("figures/a.png", b"BM" + bytes(100)),
    ("figures/a.png", png(100_000, 100_000)),
    ("figures/a.png", png(1 << 31, 1)),
    ("figures/a.png", sparse),
    ("figures/a.png", fifo),
    ("figures/a.png", link("/etc/passwd")),
    ("figures", link("../good/figures")),
    ("command.txt", b"\xff"),
    ("command.txt", fifo),
    ("environment.txt", sparse),
    ("environment.txt", link("/etc/passwd")),
]


def spoil(folder: Path, name: str, content: Content) -> None:
    """Puts a file into a run's folder, in the place of what was there."""
    path = folder / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if callable(content):
        content(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))


def make_all(cases: list[tuple[str, Content]]) -> None:
    """A run for each of the cases, and one that is as it should be."""
    make_run(Path("runs/good"), seed=1)
    for number, (name, content) in enumerate(cases):
        spoil(make_run(Path(f"runs/{number:02}")), name, content)


def noted(cases: list[tuple[str, Content]], err: str) -> None:
    """Checks that there is one note of each case, and that it names the file."""
    lines = err.splitlines()
    assert len(lines) == len(cases), err
    for number, (name, _) in enumerate(cases):
        (line,) = (text for text in lines if text.startswith(f"note: runs/{number:02}: "))
        assert Path(name).name in line and line.isprintable() and len(line) < 300


@pytest.mark.parametrize("form", ["terminal", "csv", "markdown", "latex"])
def test_comparison_leaves_out_what_is_malformed(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_all([*LEFT_OUT, *KEPT, *SILENT])
    more = ["mixed=true", "over=[]", f"format={form}"]
    assert compare(["runs", *more, "metrics=[elbo,kl,images,active_units]"]) == 0
    found = capsys.readouterr()
    noted([*LEFT_OUT, *KEPT], found.err)
    assert re.search(r"-\$?24.[89]", found.out) and "1e+300" not in found.out


def test_report_leaves_out_what_is_malformed(capsys: pytest.CaptureFixture[str]) -> None:
    silent = [case for case in SILENT if not callable(case[1])]
    cases = [*LEFT_OUT, *KEPT, *BESIDE]
    make_all([*cases, *silent])
    assert report(["run=runs/*", "mixed=true"]) == 0
    noted(cases, capsys.readouterr().err)
    page = Page(Path("report.html").read_text(encoding="utf-8"))
    assert page.unclosed == []
    later = sorted(Path("runs").iterdir())[len(LEFT_OUT) :]
    shown = [run for run in later if all(is_regular(path) for path in run.rglob("*"))]
    assert 0 < len(shown) < len(later)  # a run with a link or a pipe is left out
    assert len(page.all("article")) == len(shown)
    assert "root:" not in page.text
    assert {image["alt"] for image in page.all("img")} == {"samples"}


def is_regular(path: Path) -> bool:
    return not path.is_symlink() and (path.is_file() or path.is_dir())


@pytest.mark.parametrize(("name", "content"), LEFT_OUT[:3])
def test_one_run_that_cannot_be_read_is_a_mistake(
    name: str, content: Content, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(make_run(Path("one")), name, content)
    assert report(["run=one"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "run=one" in line and name in line
    assert not Path("one/report.html").exists()


@pytest.mark.parametrize("value", [True, "1", None, [], {}, math.nan, math.inf, 1e300, 10**40])
def test_no_number(value: object) -> None:
    assert not is_number(value)


def test_an_array_is_not_as_large_as_it_says() -> None:
    path = Path("evaluation.npz")
    file = io.BytesIO()
    declared = {"descr": "<f8", "fortran_order": False, "shape": (1 << 45,)}
    np.lib.format.write_array_header_1_0(file, declared)
    header = file.getvalue()
    ours = header.replace(str(1 << 45).encode(), b"4".ljust(14))
    cases = {"huge": header, "short": ours, "text": b"x", "good": ours + np.arange(4.0).tobytes()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in cases.items():
            archive.writestr(f"{name}.npy", content)
    found = {name: read_values(path, name) for name in [*cases, "missing"]}
    assert [name for name, values in found.items() if values is not None] == ["good"]
    assert (found["good"] == np.arange(4.0)).all()
