"""What all pictures share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import torch
from torch import Size, Tensor

from vae_cli import noise
from vae_cli.data.split import Split
from vae_cli.errors import VaeCliError
from vae_cli.example import ExampleKind, describe_examples, example_kind, is_point
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.scope import ForModels, M

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Drawable = ExampleKind | Literal["point"]  # a vector of two numbers is a point of the plane
NAMES: dict[Drawable, str] = {
    "image": "images", "point": "points of the plane", "vector": "vectors", "sequence": "sequences",
}  # fmt: skip
ANY_KIND = frozenset(NAMES)


class Inapplicable(VaeCliError):  # noqa: N818  a statement about a figure, not a failure
    """Why a figure can't be drawn of a model.

    Args:
        reason: A clause without a capital, ``needs a flow``.
        option: The option of the figure that is the reason, if one is.
        value: Of that option.
        remedy: What to do, a sentence.
    """

    def __init__(
        self, reason: str, option: str = "", value: object = None, remedy: str = ""
    ) -> None:
        super().__init__(reason)
        self.option, self.value, self.remedy = option, value, remedy


class Content(ABC):
    """What a picture shows, from which one picture of several models can be made."""

    @abstractmethod
    def stacked(self, names: Sequence[str], others: Sequence[Self]) -> "Canvas":
        """One picture of several models.

        Args:
            names: Of the models, this one's first.
            others: The contents of the same figure, of the other models.

        Raises:
            Inapplicable: If they don't go into one picture.
        """


class Drawing(NamedTuple):
    """What a figure gives.

    Attributes:
        canvas: The picture.
        arrays: The numbers that it shows, by name.
        frames: Of its animation, if it moves: each ``(H, W, 3)``, uint8, an image pixel a pixel.
        content: What it shows; None where pictures of several models are put side by side as
            they are.
    """

    canvas: "Canvas"
    arrays: Mapping[str, np.ndarray]
    frames: Sequence[np.ndarray] = ()
    content: Content | None = None


class Figure(ForModels[M], ABC):
    """A picture of a trained model.

    Attributes:
        kinds: Which examples it can show.
        during_training: Whether it is also drawn during training.
        starts_from_prior: Whether it shows what a model makes of draws or quantiles of its prior,
            and no images of a split. Of a model without a prior it needs images all the same.
    """

    kinds: ClassVar[frozenset[Drawable]] = frozenset({"image", "point"})
    during_training: bool
    starts_from_prior: bool = False

    def needs_images(self, model: Model) -> bool:
        """Whether the picture of a model needs images."""
        return not (self.starts_from_prior and isinstance(model, LatentVariableModel))

    @abstractmethod
    def draw(self, model: M, split: Split) -> Drawing:
        """The picture; called by ``draw`` of this module, without gradients and with its noise.

        Raises:
            Inapplicable: If there is no such picture of this model.
        """


@torch.no_grad()
def draw(name: str, figure: Figure[Any], model: Model, split: Split, seed: int = 0) -> Drawing:
    """A figure's picture, the same whenever it is drawn.

    Raises:
        Inapplicable: If there is no such picture of this model.
    """
    if reason := figure.mismatch(model):
        raise Inapplicable(reason)
    check_kind(figure, split.images.shape)
    with noise.stream(model.device, "figure", name, seed):
        return figure.draw(model, split)


def check_kind(figure: Figure[Any], shape: Size) -> None:
    """Checks that a figure can show examples of a shape."""
    kind = "point" if is_point(shape) else example_kind(shape)
    if kind not in figure.kinds:
        drawn = " and ".join(name for each, name in NAMES.items() if each in figure.kinds)
        raise Inapplicable(f"draws {drawn}, and the data are {describe_examples(shape)}")


def name_examples(split: Split) -> str:
    """The examples of a split as a title calls them: ``test images``, ``training points``."""
    kind = "point" if is_point(split.images.shape) else example_kind(split.images.shape)
    return f"{'training' if split.name == 'train' else split.name} {kind}s"


def to_numpy(**tensors: Tensor) -> dict[str, np.ndarray]:
    """Tensors as arrays, by name."""
    return {name: tensor.cpu().numpy() for name, tensor in tensors.items()}


def pixels(canvas: "Canvas", dpi: int) -> np.ndarray:
    """A figure as an image, ``(H, W, 3)``, uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas.set_dpi(dpi)
    agg = FigureCanvasAgg(canvas)
    agg.draw()
    return np.asarray(agg.buffer_rgba())[..., :3]
