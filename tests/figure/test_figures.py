from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.text import Text
from pictures import PLANAR, POINT, ROWS, Case, drawn, model, picture, split
from PIL import Image
from torch import Size

from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.figure import sheet as sheets
from vae_cli.figure.base import Figure, Inapplicable
from vae_cli.figure.interpolations import Interpolations, spherical
from vae_cli.figure.latent_map import LatentMap
from vae_cli.figure.manifold import Manifold
from vae_cli.figure.reconstructions import Reconstructions
from vae_cli.figure.samples import Samples
from vae_cli.figure.traversals import Traversals
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.diagonal import DiagonalPosterior


@ROWS
def test_pictures_show_the_range_of_the_data(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    if case.points:
        return  # of no grey levels
    seen = list[tuple[float, float]]()
    to_grey = sheets.to_grey
    monkeypatch.setattr(
        sheets, "to_grey", lambda x, limits: (seen.append(limits), to_grey(x, limits))[1]
    )
    images = case.split()
    x = torch.randn(len(images), 1, 6, 5, generator=torch.Generator().manual_seed(0))
    images = Split(
        "test",
        StoredImages(x, images.images.labels),
        Treatment("none", False, None, limits=(-2.5, 2.5)),
    )
    canvas = case.of(images).canvas
    assert set(seen) <= {(-2.5, 2.5)}
    shown = [text.get_text() for text in canvas.findobj(Text)]
    assert any("(black: -2.5, white: 2.5)" in text for text in shown) is bool(seen)


@ROWS
@pytest.mark.parametrize("latent_dim", [1, 2, 3])
def test_drawn_where_it_applies(case: Case, latent_dim: int) -> None:
    images = case.split()
    if (case.needs_plane and latent_dim != 2) or latent_dim < case.least_dim:
        with pytest.raises(Inapplicable, match="two latent dimensions"):
            case.of(images, latent_dim=latent_dim)
    else:
        drawn(case.of(images, latent_dim=latent_dim))


@ROWS
@pytest.mark.parametrize("channels", [2, 3])
def test_channels(case: Case, channels: int) -> None:
    drawn(case.of(case.split(channels), channels=channels))


@ROWS
@pytest.mark.parametrize("posterior", [DiagonalPosterior, PLANAR], ids=["diagonal", "planar"])
def test_the_same_whenever_it_is_drawn(case: Case, posterior: Callable[..., Posterior]) -> None:
    if case.posterior is not DiagonalPosterior and posterior is DiagonalPosterior:
        pytest.skip("it has no such picture")
    images = case.split()
    one = case.model(images, posterior=posterior)
    first = drawn(picture(case.make(), one, images))
    torch.manual_seed(123)
    assert drawn(picture(case.make(), one, images)) == first


@ROWS
@pytest.mark.parametrize(
    "labels",
    [torch.arange(30) % 3 - 1, torch.arange(30) + 900],
    ids=["some unknown", "thirty large ones"],
)
def test_labels(case: Case, labels: torch.Tensor) -> None:
    drawn(case.of(case.split(labels=labels)))


@ROWS
@pytest.mark.parametrize("count", [1, 2])
def test_few_images(case: Case, count: int) -> None:
    try:
        drawn(case.of(case.split(1, count)))
    except Inapplicable as reason:
        assert (case.name, count, str(reason)) == ("interpolations", 1, "needs two images")


@ROWS
def test_what_needs_no_images_is_drawn_without_any(case: Case) -> None:
    images = case.split()
    one, figure = case.model(images), case.make()
    nothing = Split("test", images.images.subset(torch.arange(0)), images.treatment)
    if not figure.needs_images(one):
        assert drawn(picture(figure, one, nothing)) == drawn(picture(figure, one, images))


@ROWS
def test_the_model_is_left_as_it_was(case: Case) -> None:
    images = case.split()
    one = case.model(images)
    before = {name: p.clone() for name, p in one.state_dict().items()}
    picture(case.make(), one, images)
    torch.testing.assert_close(dict(one.state_dict()), before, rtol=0, atol=0)
    assert all(p.grad is None for p in one.parameters())


@ROWS
@pytest.mark.parametrize("shape", [POINT, Size([7])], ids=["points", "vectors"])
def test_a_figure_draws_the_kinds_that_it_declares(case: Case, shape: Size) -> None:
    if case.labelled:
        pytest.skip("test_labelled_figures has models with labels")
    one, figure = model(shape=shape, posterior=case.posterior), case.make()
    data = Split("test", StoredImages(torch.randn(30, *shape)), Treatment("none", False, None))
    if ("point" if shape == POINT else "vector") not in figure.kinds:
        with pytest.raises(
            Inapplicable, match=rf"^draws .*, and the data are vectors of {shape[0]}$"
        ):
            picture(figure, one, data)
        return
    drawing = picture(figure, one, data)
    drawn(drawing)
    assert any(axes.collections for axes in drawing.canvas.axes)
    assert len({frame.shape for frame in drawing.frames}) <= 1
    assert all(frame.shape[1] >= 300 for frame in drawing.frames)


def test_latent_map_shows_the_means_by_label() -> None:
    labels = torch.arange(30) % 3 - 1
    one, images = model(), split(labels=labels)
    axes = picture(LatentMap(), one, images).canvas.axes[0]
    mean = one.encode(images.batch(torch.arange(30))).mean.detach()
    *legend, points = axes.collections
    assert [entry.get_label() for entry in legend] == ["unlabelled", "0", "1"]
    torch.testing.assert_close(torch.tensor(points.get_offsets().tolist()), mean)
    shown = [to_hex(colour) for colour in points.get_facecolor()]
    colours = [to_hex(entry.get_facecolor()[0]) for entry in legend]
    assert shown == [colours[label + 1] for label in labels.tolist()] and len(set(colours)) == 3


def test_an_unlabelled_map_has_no_legend_and_fits_its_points() -> None:
    axes = picture(LatentMap(), model(), split()).canvas.axes[0]
    points = axes.collections[-1].get_offsets()
    assert axes.get_legend() is None
    for limits, values in zip((axes.get_xlim(), axes.get_ylim()), points.T, strict=True):
        assert sum(limits) / 2 == pytest.approx((values.min() + values.max()) / 2, abs=1e-5)
        assert limits[0] < values.min() and values.max() < limits[1]


def test_latent_map_names_classes() -> None:
    images = split(labels=torch.arange(30) % 3 - 1)
    images.classes = ["red", "blue"]
    axes = picture(LatentMap(), model(), images).canvas.axes[0]
    assert axes.get_legend_handles_labels()[1] == ["unlabelled", "red", "blue"]


def test_unlabelled_images_have_a_colour_of_their_own() -> None:
    axes = picture(LatentMap(), model(), split(labels=torch.arange(30) % 11 - 1)).canvas.axes[0]
    colours = {to_hex(colour) for colour in axes.collections[-1].get_facecolor()}
    assert len(colours) == 11


def test_manifold_rises_to_the_right_and_upwards() -> None:
    one = model()
    shown = []
    decode = one.decode
    one.decode = lambda z, y=None: shown.append(z) or decode(z)
    drawing = picture(Manifold(rows=3), one, split())
    z = shown[0].view(3, 3, 2)
    edge = torch.special.ndtri(torch.tensor(5 / 6)).item()
    across = torch.tensor([-edge, 0, edge]).expand(3, 3)
    axes = drawing.canvas.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["-0.97", "0", "0.97"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.97", "0", "-0.97"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$z_1$", "$z_2$")
    torch.testing.assert_close(z[..., 0], across, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(z[..., 1], -across.T, atol=1e-6, rtol=1e-6)


def test_reconstructions_show_what_they_say() -> None:
    one, images = model(), split()
    canvas = picture(Reconstructions(count=4), one, images).canvas
    axes = canvas.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["original", "binarized (dynamic)", "reconstruction"]
    index = torch.tensor([0, 9, 19, 29])
    batch = images.batch(index)
    rows = [images.grey(index), batch.x, one.decode(one.encode(batch).mean).mean]
    pixels = torch.from_numpy(axes.images[0].get_array()[..., 0].astype(int))
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            cell = pixels[r * 7 : r * 7 + 6, c * 6 : c * 6 + 5]
            assert (cell - (255 * image[0]).round()).abs().max() <= 1  # by rounding, at most


@pytest.mark.parametrize("count", [1, 2, 7, 30, 100])
def test_spread(count: int) -> None:
    index = split().spread(count)
    assert len(index.unique()) == len(index) == min(count, 30)
    assert index[0] == 0
    assert index.max() <= 29
    gaps = index.diff()
    assert not len(gaps) or gaps.max() - gaps.min() <= 1
    assert count == 1 or index[-1] == 29


def test_temperature_scales_the_draws() -> None:
    one = model()
    warm, cold = (picture(Samples(rows=3, temperature=t), one, split()).arrays for t in (1.0, 0.5))
    torch.testing.assert_close(cold["z"], 0.5 * warm["z"])
    assert abs(cold["x"] - warm["x"]).max() > 0


def test_another_seed_shows_other_samples() -> None:
    one, images = model(), split()
    first, other = (picture(Samples(), one, images, seed).arrays["z"] for seed in (0, 1))
    assert abs(first - other).max() > 0.1


def test_traversals_move_one_dimension_the_most_telling_first() -> None:
    one, images = model(latent_dim=4), split()
    arrays = picture(Traversals(image=3, dimensions=3, steps=5), one, images).arrays
    codes = one.encode(images.batch(torch.arange(30))).mean.detach()
    variance = codes.var(0, correction=0)
    order = variance.argsort(descending=True)
    assert arrays["dimension"].tolist() == order[:3].tolist()
    torch.testing.assert_close(torch.from_numpy(arrays["variance"]), variance)
    z = torch.from_numpy(arrays["z"])
    assert z.shape == (3, 5, 4)
    for row, dimension in enumerate(order[:3].tolist()):
        torch.testing.assert_close(z[row, :, dimension], torch.linspace(-2.5, 2.5, 5))
        others = [d for d in range(4) if d != dimension]
        torch.testing.assert_close(z[row][:, others], codes[3, others].expand(5, 3))


def test_animation_goes_there_and_back() -> None:
    drawing = picture(Traversals(steps=4), model(), split())
    assert len(drawing.frames) == 6
    assert all(f.dtype == "uint8" and f.shape[1] >= 300 for f in drawing.frames)
    assert (drawing.frames[1] == drawing.frames[-1]).all()


def test_interpolations_go_from_code_to_code() -> None:
    one, images = model(latent_dim=4), split()
    arrays = picture(Interpolations(pairs=2, steps=5), one, images).arrays
    codes = one.encode(images.batch(torch.from_numpy(arrays["index"]))).mean.detach()
    z = torch.from_numpy(arrays["z"])
    assert z.shape == (2, 2, 5, 4)
    for way in range(2):
        torch.testing.assert_close(z[:, way, 0], codes[:2])
        torch.testing.assert_close(z[:, way, -1], codes[2:], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(z[:, 0, 2], (codes[:2] + codes[2:]) / 2)


def test_interpolations_between_images_that_the_user_picks(tmp_path: Path) -> None:
    one, images = model(latent_dim=4), split()
    path = tmp_path / "mine.png"
    Image.fromarray(images.images.take(torch.tensor([7]))[0, 0].numpy()).save(path)
    figure = Interpolations(steps=3, start=-1, end=str(path))
    drawing = picture(figure, one, images)
    expected = images.grey(torch.tensor([29, 7]))
    torch.testing.assert_close(torch.from_numpy(drawing.arrays["first"]), expected[:1])
    torch.testing.assert_close(torch.from_numpy(drawing.arrays["last"]), expected[1:])
    axes = drawing.canvas.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["-1 to mine.png, line", "-1 to mine.png, arc"]
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "original", "0%", "50%", "100%", "original",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "option", "reason"),
    [
        (Interpolations(start=0, end=30), "end", "there are 30 test images"),
        (Interpolations(start=-31, end=0), "start", "there are 30 test images"),
        (Interpolations(start=0, end="nowhere.png"), "end", "can't be read as an image"),
        (Interpolations(start=0, end=__file__), "end", "can't be read as an image"),
        (Interpolations(start=0), "start", "needs the other end"),
        (Traversals(image=30), "image", "there are 30 test images"),
    ],
)
def test_why_an_image_cannot_be_picked(figure: Figure, option: str, reason: str) -> None:
    with pytest.raises(Inapplicable, match=reason) as caught:
        picture(figure, model(), split())
    assert caught.value.option == option and caught.value.remedy


def test_arc_is_of_constant_speed_on_a_sphere() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 5, 1, 7, generator=generator, dtype=torch.float64)
    b = b / b.norm(dim=-1, keepdim=True) * a.norm(dim=-1, keepdim=True)
    t = torch.linspace(0, 1, 9, dtype=torch.float64).view(1, -1, 1)
    points = spherical(a, b, t)
    radius = a.norm(dim=-1).expand(5, 9)
    torch.testing.assert_close(points.norm(dim=-1), radius)
    steps = points.diff(dim=1).norm(dim=-1)
    torch.testing.assert_close(steps, steps[:, :1].expand(5, 8))


def test_arc_between_nearly_opposite_codes_stays_near() -> None:
    a, b = torch.tensor([[2.0, 0.0]]).double(), torch.tensor([[-1.0, 0.01]]).double()
    t = torch.linspace(0, 1, 9, dtype=torch.float64).view(-1, 1)
    points = spherical(a, b, t)
    torch.testing.assert_close(points.norm(dim=-1), torch.lerp(a.norm(), b.norm(), t[:, 0]))
    torch.testing.assert_close(points[[0, -1]], torch.cat([a, b]))


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, 0.0])
def test_arc_between_parallel_codes_is_a_line(factor: float) -> None:
    a = torch.tensor([[1.0, 2.0]])
    t = torch.tensor([[0.0], [0.5], [1.0]])
    expected = torch.lerp(a, factor * a, t)
    points = spherical(a, factor * a, t)
    assert points.isfinite().all()
    torch.testing.assert_close(points[[0, -1]], expected[[0, -1]], rtol=1e-4, atol=1e-4)
