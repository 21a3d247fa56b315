"""What TensorBoard's log holds: when there are looks, and how many bytes everything takes."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

from vae_cli.training import dashboard
from vae_cli.training.dashboard import SHARE, Dashboard
from vae_cli.training.layout import PARTS
from vae_cli.training.projector import sprite

MIB = 2**20
COUNTED = ("train/loss", "validation/elbo", "pictures/samples", "overview/kl")
LOOKS = 12  # of a hundred validations: before, at the first, at the last, and by growth in between
Train = Callable[..., Path]


def events_of(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), {"tensors": 0, "images": 0, "histograms": 0}).Reload()


@pytest.fixture
def small(vae_train: Train) -> Path:
    return vae_train(
        "logger=tensorboard", "figure=[reconstructions,samples]", "trainer.max_epochs=4",
        "metric=[active_units,kl_per_dimension]", "latent_dim=12", "trainer.log_every=5",
    )  # fmt: skip


def test_events_of_a_diagonal_posterior(small: Path) -> None:
    events = events_of(small)
    tags = events.Tags()
    assert tags["graph"] and {"pictures/reconstructions", "pictures/samples"} <= set(tags["images"])
    steps = [event.step for event in events.Images("pictures/samples")]
    assert (*steps[:2], steps[-1]) == (0, 22, 88)
    kl = [f"validation_kl/dimension_{d:02}" for d in range(12)]
    assert set(tags["histograms"]) == {"validation_kl/all_dimensions", *kl}
    histogram = events.Histograms(kl[3])[-1].histogram_value
    assert histogram.num == 180  # images
    assert "overview/elbo_test" in tags["scalars"]
    assert sorted(tags["scalars"])[0].startswith("overview/")  # the first screen
    assert "validation_kl_per_dimension/03" in tags["scalars"]
    for part in PARTS:  # a separate run keeps its colour in all charts
        own = events_of(small / part)
        for name in ("elbo", "kl", "reconstruction"):
            found = {event.step: event.value for event in events.Scalars(f"{part}/{name}")}
            points = [(event.step, event.value) for event in own.Scalars(f"overview/{name}")]
            assert [step for step, _ in points] == [22, 44, 66, 88]
            assert all(found[step] == value for step, value in points)
    names = [tag.removeprefix("overview/") for tag in own.Tags()["scalars"]]
    assert "active_units" in names and "lr" not in names and "active_units_uncertain" not in names


def test_projector_files(small: Path) -> None:
    assert "projector/codes.tsv" in (small / "projector_config.pbtxt").read_text(encoding="utf-8")
    files = small / "projector"
    codes = (files / "codes.tsv").read_text(encoding="utf-8").splitlines()
    labels = (files / "labels.tsv").read_text(encoding="utf-8").splitlines()
    assert len(codes) == len(labels) == 180 and len(codes[0].split("\t")) == 12
    assert set(labels) == {str(digit) for digit in range(10)}
    with Image.open(files / "images.png") as sheet:
        assert sheet.size == (14 * 8, 14 * 8)
        inks = {sheet.getpixel((8 * (i % 14), 8 * (i // 14))) for i in range(180)}  # of corners
    assert len(inks) == 10  # a colour for each label


def test_projector_shows_two_dimensions_as_two(vae_train: Train) -> None:
    folder = vae_train("logger=tensorboard", "latent_dim=2", "trainer.max_steps=1", "figure=[]")
    assert "projector/bookmarks.json" in (folder / "projector_config.pbtxt").read_text()
    (state,) = json.loads((folder / "projector" / "bookmarks.json").read_text())
    codes = np.loadtxt(folder / "projector" / "codes.tsv")
    assert state["dataSetDimensions"] == [*codes.shape] == [180, 3]
    assert state["pcaComponentDimensions"] == [0, 1] and state["cameraDef"]["orthographic"]
    points = [[point["pca-0"], point["pca-1"]] for point in state["projections"]]
    np.testing.assert_allclose(points, codes[:, :2], rtol=1e-3)


def test_flows_have_a_log_determinant(vae_train: Train) -> None:
    folder = vae_train(
        "logger=tensorboard", "posterior=planar", "posterior.flow_length=3", "trainer.max_steps=22"
    )
    tags = events_of(folder).Tags()["histograms"]
    assert tags == ["validation_flow/log_determinant"]


@pytest.mark.parametrize("logger", ["csv", "none"])
def test_nothing_is_written_for_other_loggers(logger: str, vae_train: Train) -> None:
    folder = vae_train(f"logger={logger}", "trainer.max_steps=22", "figure=[samples]")
    names = {path.name for path in folder.iterdir()}
    assert not any(name.startswith(("events", "projector")) for name in names)
    assert ("metrics.csv" in names) == (logger == "csv")


def test_a_hundred_epochs_of_mnist_take_few_bytes(vae_train: Train) -> None:
    """Extrapolated from MNIST's sizes: random images, which compress worse than any."""
    pixels = torch.randint(0, 256, (256, 28, 28), dtype=torch.uint8).numpy()
    np.savez("noise.npz", train=pixels, validation=pixels, test=pixels)
    folder = vae_train(
        "data=array", "data.path=noise.npz", "latent_dim=40", "logger=tensorboard",
        "data.batch_size=128", "trainer.max_steps=4", "trainer.log_every=1",
        "metric=[active_units,kl_per_dimension]", "figure=[reconstructions,samples]",
    )  # fmt: skip
    sizes, counts = Counter[str](), Counter[str]()
    for path in folder.rglob("events.*"):
        for event in LegacyEventFileLoader(str(path)).Load():
            value = event.summary.value[0] if event.HasField("summary") else None
            kind = "once" if value is None else value.WhichOneof("value") or "once"
            group = value.tag.split("/")[0] if value is not None else ""
            name = {"simple_value": group, "histo": "look", "image": "look"}.get(kind, "once")
            sizes[name] += event.ByteSize() + 16  # length and checksums
            counts[name] += value is not None and value.tag in COUNTED
    each = {name: sizes[name] / max(counts[name], 1) for name in sizes}
    validation = each["validation"] + each["overview"] + sizes["validation_kl_per_dimension"] / 2
    points = 100 * 50_000 / 128 / 50  # of the training curves
    total = sizes["once"] + points * each["train"] + 100 * validation + LOOKS * each["look"]
    assert counts["train"] == 4 and counts["look"] == 3
    assert total < 3 * MIB  # what the README says


@pytest.mark.parametrize("cost", [0.001, 0.02, 0.5, 30.0])  # seconds a look
def test_looks_are_affordable_and_early(cost: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred validations, a second each: a second may go into looks, but for the first few."""
    seconds, total = [0.0], 1000
    monkeypatch.setattr(dashboard.time, "monotonic", lambda: seconds[0])
    watch = Dashboard(None, {}, None, {}, None, None, total, [])  # type: ignore[arg-type]
    looks, begun = [], 0
    for step in range(10, total + 1, 10):
        seconds[0] += 1
        if step >= watch._next_look:
            looks.append(step)
            seconds[0] += cost
            watch._spent, watch._looks = watch._spent + cost, watch._looks + 1
            watch._next_look = step * watch._growth(step)
            begun += cost
    assert looks[0] == 10 and len({*looks, total}) <= LOOKS
    if cost <= 0.02:
        assert len(looks) >= 6 and looks[3] <= 200
    assert begun <= 2 * cost + SHARE * seconds[0]


def test_sprite_of_oblong_coloured_images() -> None:
    sheet = sprite(torch.stack([torch.zeros(3, 4, 6), torch.ones(3, 4, 6), torch.zeros(3, 4, 6)]))
    assert (sheet.size, sheet.mode) == ((12, 12), "RGB")
    assert sheet.getpixel((0, 0)) == (0, 0, 0) and sheet.getpixel((6, 0)) == (255, 255, 255)
    framed = sprite(torch.ones(1, 3, 4, 6), ["#332288"])
    assert framed.size == (6, 6) and framed.getpixel((0, 0)) == (0x33, 0x22, 0x88)
    assert framed.getpixel((3, 3)) == (255, 255, 255)


def test_texts_of_a_run_stay_texts(vae_train: Train, tmp_path: Path) -> None:
    """In the HPARAMS, TEXT and PROJECTOR tabs, which take Markdown and tables."""
    names = ["| a |", "``` <b>[x](http://evil.example)"]
    for name in names:
        for part in ("train", "test"):
            (tmp_path / "```images" / part / name.replace("/", ":")).mkdir(parents=True)
            for number in range(6):
                path = tmp_path / "```images" / part / name.replace("/", ":") / f"{number}.png"
                Image.new("L", (8, 8), 40 * number).save(path)
    folder = vae_train(
        "logger=tensorboard", "data=image_folder", "data.root='```images'", "data.batch_size=4",
        "trainer.max_steps=2", "network.hidden_dims=[4]", "data.validation=0.3",
    )  # fmt: skip
    events = EventAccumulator(str(folder), {"tensors": 0}).Reload()
    for name in ("config", "command", "environment"):
        (text,) = events.Tensors(f"{name}/text_summary")[0].tensor_proto.string_val
        assert all(line.startswith("    ") for line in text.decode().splitlines())
    labels = (folder / "projector" / "labels.tsv").read_text(encoding="utf-8").splitlines()
    assert len(labels) == 12 and {"| a |"} < {*labels} and not any("\t" in x for x in labels)
