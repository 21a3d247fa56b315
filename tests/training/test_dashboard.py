"""What TensorBoard's log holds: when there are looks, and how many bytes everything takes."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

from vae_cli.training.dashboard import GROWTH
from vae_cli.training.projector import sprite

MIB = 2**20
COUNTED = ("train/loss", "validation/elbo", "samples", "overview/kl")
LOOKS = 11  # of a hundred validations: the first, the last, and those by growth in between
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
    assert tags["graph"] and {"reconstructions", "samples"} <= set(tags["images"])
    steps = [event.step for event in events.Images("samples")]
    assert (steps[0], steps[-1]) == (22, 88)
    kl = [f"validation_kl/dimension_{d:02}" for d in range(12)]
    assert set(tags["histograms"]) == {"validation_kl/all_dimensions", *kl}
    histogram = events.Histograms(kl[3])[-1].histogram_value
    assert histogram.num == 180  # images
    overview = {tag for tag in tags["scalars"] if tag.startswith("overview/")}
    assert {"overview/elbo_train", "overview/elbo_validation", "overview/elbo_test"} <= overview
    assert sorted(tags["scalars"])[0].startswith("overview/")  # the first screen
    assert "validation_kl_per_dimension/03" in tags["scalars"]


def test_projector_files(small: Path) -> None:
    assert "projector/codes.tsv" in (small / "projector_config.pbtxt").read_text(encoding="utf-8")
    files = small / "projector"
    codes = (files / "codes.tsv").read_text(encoding="utf-8").splitlines()
    labels = (files / "labels.tsv").read_text(encoding="utf-8").splitlines()
    assert len(codes) == len(labels) == 180 and len(codes[0].split("\t")) == 12
    assert set(labels) == {str(digit) for digit in range(10)}
    with Image.open(files / "images.png") as sheet:
        assert sheet.size == (14 * 8, 14 * 8)


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
    for path in folder.glob("events.*"):
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
    assert counts["train"] == 4 and counts["look"] == 2
    assert total < 3 * MIB  # what the README says


def test_looks_grow_apart() -> None:
    step, looks, next_look = 0, [], 0.0
    for step in range(1, 101):  # validations
        if step >= next_look:
            looks.append(step)
            next_look = GROWTH * step
    assert len({*looks, step}) <= LOOKS


def test_sprite_of_oblong_coloured_images() -> None:
    sheet = sprite(torch.stack([torch.zeros(3, 4, 6), torch.ones(3, 4, 6), torch.zeros(3, 4, 6)]))
    assert (sheet.size, sheet.mode) == ((12, 12), "RGB")
    assert sheet.getpixel((0, 0)) == (0, 0, 0) and sheet.getpixel((6, 0)) == (255, 255, 255)
