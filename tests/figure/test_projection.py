import importlib.util
from collections.abc import Callable

import pytest
import torch
from pictures import model, picture, split
from torch import Tensor

from vae_cli.errors import InvalidOption
from vae_cli.figure.base import Inapplicable
from vae_cli.figure.latent_map import LatentMap
from vae_cli.figure.projection import FEWEST, PROJECTIONS, Plane, pca, tsne

METHODS = [
    "tsne",
    pytest.param("umap", marks=pytest.mark.skipif(
        importlib.util.find_spec("umap") is None, reason="umap-learn is not installed"
    )),
]  # fmt: skip


def groups(each: int = 20) -> Tensor:
    """Three groups far apart in five dimensions."""
    generator = torch.Generator().manual_seed(0)
    centers = 20 * torch.randn(3, 1, 5, generator=generator)
    return (centers + torch.randn(3, each, 5, generator=generator)).flatten(0, 1)


def test_pca_keeps_the_distances_of_points_in_a_plane() -> None:
    generator = torch.Generator().manual_seed(0)
    flat = torch.randn(50, 2, generator=generator, dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(7, 2, generator=generator, dtype=torch.float64)).Q
    plane = pca(flat @ basis.mT + 3)
    torch.testing.assert_close(torch.pdist(plane.points), torch.pdist(flat))
    torch.testing.assert_close(plane.points.mean(0), torch.zeros(2, dtype=torch.float64))


def test_pca_orders_directions_and_tells_their_shares() -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.linalg.qr(torch.randn(100, 4, generator=generator)).Q  # orthonormal columns
    z = torch.linalg.qr(z - z.mean(0)).Q * torch.tensor([0.0, 3.0, 1.0, 0.0])
    plane = pca(z)
    assert plane.names == ("PC 1 (90% of variance)", "PC 2 (10%)")
    torch.testing.assert_close(plane.points, z[:, 1:3], atol=1e-5, rtol=0)


@pytest.mark.filterwarnings("default")  # what umap-learn and its compiler say of each other
@pytest.mark.parametrize("method", METHODS)
def test_groups_stay_together(method: str) -> None:
    project: Callable[[Tensor], Plane] = PROJECTIONS[method]
    torch.manual_seed(0)
    first = project(groups()).points
    torch.manual_seed(0)
    assert torch.equal(project(groups()).points, first)
    label = torch.arange(3).repeat_interleave(20)
    distances = torch.cdist(first, first).fill_diagonal_(torch.inf)
    assert (label[distances.argmin(1)] == label).all()


def test_neighbours_need_points() -> None:
    with pytest.raises(Inapplicable, match=f"needs {FEWEST} images"):
        tsne(groups()[: FEWEST - 1])


def test_a_missing_package_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vae_cli.figure.projection.find_spec", lambda name: None)
    with pytest.raises(InvalidOption, match=r"projection=umap: needs umap-learn.*vae-cli\[umap\]"):
        LatentMap(projection="umap")
    LatentMap(projection="tsne")


def test_map_of_many_dimensions_is_the_projection_of_the_means() -> None:
    one, images = model(latent_dim=4), split()
    drawing = picture(LatentMap(), one, images)
    mean = one.encode(images.batch(torch.arange(30))).mean.detach()
    points = drawing.canvas.axes[0].collections[-1]
    expected = pca(mean).points
    torch.testing.assert_close(torch.tensor(points.get_offsets().tolist()), expected)
    torch.testing.assert_close(torch.from_numpy(drawing.arrays["point"]), expected)
    torch.testing.assert_close(torch.from_numpy(drawing.arrays["z"]), mean)


def test_map_of_one_dimension_counts_every_image() -> None:
    labels = torch.arange(30) % 3
    axes = picture(LatentMap(), model(latent_dim=1), split(labels=labels)).canvas.axes[0]
    assert len(axes.containers) == 3
    for bars in axes.containers:
        assert sum(bar.get_height() for bar in bars) == pytest.approx(10)
