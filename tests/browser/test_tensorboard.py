"""TensorBoard on the runs of a small sweep, as somebody sees it who opens it."""

import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from browser.chromium import PROGRAM, Chromium

from vae_cli.commands.train import main
from vae_cli.launch.launch import SHARED_FOLDER

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium on the path")

SWEEP = [
    "-m", "posterior=diagonal,planar", "trainer.max_epochs=3",
    "network.hidden_dims=[16]", "metric.log_likelihood.samples=2",
    "figure=[reconstructions,samples]", "trainer.progress=false", "hydra.sweep.dir=runs",
]  # fmt: skip
TABS = {  # and what is to be read there
    "timeseries": ["overview", "9 cards", "pictures"],
    "scalars": ["overview/kl", "overview/images_per_second", "test/elbo"],
    "custom_scalars": [
        "Is it learning?", "elbo: training and validation", "Is the posterior collapsing?",
        "KL of each dimension", "How fast?",
    ],
    "images": ["reconstructions", "samples", "step 66"],
    "graphs": ["Main Graph", "MLP[encoder]", "MLP[decoder]"],
    "histograms": ["validation_kl/all_dimensions", "validation_flow"],
    "hparams": ["posterior", "planar", "overview/elbo_test", "Trial ID"],
    "text": ["config", "command", "environment", "vae-train"],
}  # fmt: skip


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.setenv("VAE_CLI_CONF", "")
        patch.delenv(SHARED_FOLDER, raising=False)
        assert main(SWEEP) == 0
    return work / "runs"


@pytest.fixture(scope="module")
def address(logs: Path) -> Iterator[str]:
    """Of a server that has read all there is, on a port that was free."""
    command = [
        sys.executable, "-W", "ignore", "-m", "tensorboard.main", "--logdir", str(logs),
        "--host", "127.0.0.1", "--port", "0", "--load_fast", "false",
        "--reload_interval", "0", "--reload_task", "blocking",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        found = (re.search(r"http://127\.0\.0\.1:\d+/", line) for line in server.stderr)
        yield next(match.group() for match in found if match)
        server.terminate()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.mark.parametrize("tab", TABS)
def test_tab_shows_what_it_is_for(chromium: Chromium, address: str, tab: str) -> None:
    text = chromium.text(f"{address}?for={tab}#{tab}", TABS[tab])
    keep(chromium, tab)
    assert [words for words in TABS[tab] if words not in text] == []


def test_only_what_a_sweep_varied_is_a_setting(chromium: Chromium, address: str) -> None:
    text = chromium.text(f"{address}?again#hparams", TABS["hparams"])
    columns = text[text.index("Trial ID") :]
    settings = (
        columns[: columns.index("validation.overview/")]
        .removeprefix("Trial ID Show Metrics")
        .split()
    )
    assert settings == ["posterior"]
    assert "validation.overview/elbo" in columns


def test_slider_tells_a_story(address: str) -> None:
    """There is more than one picture of a tag, the first early and the last at the end."""
    run = quote(fetched(address, "projector/runs")[0])
    for tag in ("pictures/reconstructions", "pictures/samples"):
        pictures = fetched(address, f"images/images?run={run}&tag={tag}")
        steps = [picture["step"] for picture in pictures]
        assert steps[:2] == [0, 22] and steps[-1] == 66


def test_projector_finds_codes_labels_and_thumbnails(address: str) -> None:
    """By what the server says: drawing points without a graphics card takes a page for ever."""
    runs = fetched(address, "projector/runs")
    assert len(runs) == 2
    run = quote(runs[0])
    (embedding,) = fetched(address, f"projector/info?run={run}")["embeddings"]
    assert embedding["tensorShape"] == [180, 3]  # of two dimensions the tab would show nothing
    name = quote(embedding["tensorName"])
    for what in ("tensor", "metadata", "sprite_image", "bookmarks"):
        with urlopen(f"{address}data/plugin/projector/{what}?run={run}&name={name}") as answer:
            assert len(answer.read()) > 180


def fetched(address: str, path: str) -> Any:
    with urlopen(f"{address}data/plugin/{path}") as answer:
        return json.load(answer)


def keep(chromium: Chromium, tab: str) -> None:
    """Keeps a picture where one was asked for, to be looked at."""
    folder = os.environ.get("VAE_CLI_SCREENSHOTS")
    if folder:
        (Path(folder) / f"{tab}.png").write_bytes(b64decode(chromium.screenshot()))
