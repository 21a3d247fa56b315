import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from vae_cli.figure.sheet import sheet, tile


def test_places_every_pixel() -> None:
    images = torch.rand(5, 3, 2, 4, generator=torch.Generator().manual_seed(0))
    pixels = tile(images, columns=3)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (2 + 1 + 2, 4 + 1 + 4 + 1 + 4, 3)
    left = pixels.astype(int)
    for i, image in enumerate(images):
        rows, columns = slice(i // 3 * 3, i // 3 * 3 + 2), slice(i % 3 * 5, i % 3 * 5 + 4)
        expected = (image * 255).round().permute(1, 2, 0).numpy()
        assert (left[rows, columns] == expected).all()
        left[rows, columns] = 255
    assert (left == 255).all()  # gaps, and the place of the sixth image, are white


def test_grey_images_are_grey() -> None:
    pixels = tile(torch.tensor([0.0, 0.2, 1.0]).view(1, 1, 1, 3), columns=1)
    assert pixels.tolist() == [[[0] * 3, [51] * 3, [255] * 3]]


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_other_numbers_of_channels_are_averaged(channels: int) -> None:
    images = torch.linspace(0, 1, channels).view(1, channels, 1, 1).expand(1, channels, 3, 3)
    pixels = tile(images, columns=1).astype(int)
    assert (abs(pixels - 127.5) <= 1).all()


def test_values_are_clipped() -> None:
    pixels = tile(torch.tensor([-3.0, 7.0]).view(1, 1, 1, 2), columns=1)
    assert pixels[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize("limits", [(-1.0, 1.0), (0.0, 255.0), (-3.0, -2.0)])
def test_values_of_any_range_give_the_same_picture(limits: tuple[float, float]) -> None:
    images = torch.rand(4, 1, 3, 3, dtype=torch.float64)
    low, high = limits
    moved = tile(low + (high - low) * images, 2, limits)
    assert abs(moved.astype(int) - tile(images, 2)).max() <= 1  # float32 may round otherwise


def test_takes_what_a_model_gives() -> None:
    images = torch.full((1, 1, 2, 2), 0.5, dtype=torch.bfloat16, requires_grad=True)
    assert (tile(images, columns=1) == 128).all()


@pytest.mark.parametrize("size", [3, 8, 28, 32])
def test_enlarged_without_blur(size: int) -> None:
    images = torch.randint(0, 2, (6, 1, size, size), generator=torch.Generator().manual_seed(0))
    canvas = sheet(0.4 * images, columns=3, title="title")
    agg = FigureCanvasAgg(canvas)
    agg.draw()
    left, bottom, right, top = (round(edge) for edge in canvas.axes[0].get_window_extent().extents)
    drawn = np.asarray(agg.buffer_rgba())
    inside = drawn[len(drawn) - top + 2 : len(drawn) - bottom - 2, left + 2 : right - 2, :3]
    assert set(inside.flatten().tolist()) == {0, 102, 255}  # black, 0.4 and the gaps: no others
    assert len(inside) >= 2 * size


def test_row_labels_stand_beside_their_rows() -> None:
    canvas = sheet(torch.zeros(6, 1, 4, 5), 2, "title", ["a", "b", "c"])
    axes = canvas.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert list(axes.get_yticks()) == [1.5, 6.5, 11.5]  # each image is four pixels, then a gap
