"""Many-dimensional points in a plane."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vae_cli.errors import InvalidOption, install
from vae_cli.figure.base import Inapplicable

FEWEST = 10  # points that have neighbours to speak of
PERPLEXITY = 30  # of t-SNE, scikit-learn's own choice
NEIGHBORS = 15  # of UMAP, its own choice


class Plane(NamedTuple):
    """Points in a plane.

    Attributes:
        points: Shape ``(N, 2)``.
        names: Of the two axes.
        has_units: Whether distances are those of the space the points came from.
    """

    points: Tensor
    names: tuple[str, str]
    has_units: bool


def pca(z: Tensor) -> Plane:
    """The two directions of most variance, about the mean of all points.

    A direction is turned so that its largest component is positive: which of the two ways an
    eigenvector points is up to the solver.
    """
    centered = (z - z.mean(0)).double()
    variances, directions = torch.linalg.eigh(centered.mT @ centered)
    largest = directions.abs().argmax(0, keepdim=True)
    directions = directions * directions.gather(0, largest).sign()
    total = variances.sum().clamp_min(torch.finfo(z.dtype).tiny)
    first, second = (variances[-2:].flip(0) / total).tolist()
    names = (f"PC 1 ({first:.0%} of variance)", f"PC 2 ({second:.0%})")
    return Plane((centered @ directions[:, -2:].flip(1)).to(z.dtype), names, has_units=True)


def tsne(z: Tensor) -> Plane:
    """t-SNE (van der Maaten & Hinton 2008): who is near whom; distances between groups say little.

    It starts from PCA, as scikit-learn advises, so that less is left to chance.
    """
    _check_enough(z)
    from sklearn.manifold import TSNE  # here, since it takes a second that training need not wait

    perplexity = min(PERPLEXITY, (len(z) - 1) / 3)
    method = TSNE(init="pca", perplexity=perplexity, random_state=_seed(z))
    return Plane(torch.from_numpy(method.fit_transform(_array(z))), ("", ""), has_units=False)


def umap(z: Tensor) -> Plane:
    """UMAP (McInnes et al. 2018, arXiv:1802.03426), which is an extra of this package."""
    _check_enough(z)
    from umap import UMAP  # here, since it may not be installed, and takes seconds

    # One thread: it says so itself where a seed is given, in a warning.
    method = UMAP(n_neighbors=min(NEIGHBORS, len(z) - 1), random_state=_seed(z), n_jobs=1)
    return Plane(torch.from_numpy(method.fit_transform(_array(z))), ("", ""), has_units=False)


PROJECTIONS: dict[str, Callable[[Tensor], Plane]] = {"pca": pca, "tsne": tsne, "umap": umap}
TITLES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


def check_installed(projection: str) -> None:
    """Raises InvalidOption where a projection needs a library that is not there."""
    if projection == "umap" and find_spec("umap") is None:
        rule = "needs umap-learn, which is not installed"
        remedy = f"{install('umap')}, or use tsne."
        raise InvalidOption("projection", projection, rule, remedy)


def _check_enough(z: Tensor) -> None:
    if len(z) < FEWEST:
        raise Inapplicable(f"needs {FEWEST} images for neighbours, there are {len(z)}")


def _seed(z: Tensor) -> int:
    """From the generator that the figure's noise comes from."""
    return int(torch.randint(2**31, (), device=z.device))


def _array(z: Tensor) -> np.ndarray:
    return z.float().cpu().numpy()
