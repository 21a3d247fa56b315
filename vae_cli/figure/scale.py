"""The axes of images that stand on a grid of the plane of z."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from vae_cli.figure.ink import LABEL_SIZE, TITLE_SIZE, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICKS = 8  # numbers beside an axis, at most
SPACE = 0.06  # inches between an axis, its numbers and its name


class Scale(NamedTuple):
    """Where images stand in the plane.

    Attributes:
        across: The first coordinate of each column, from the left.
        down: The second coordinate of each row, from the top.
        names: Of the two coordinates.
    """

    across: Sequence[float]
    down: Sequence[float]
    names: tuple[str, str] = ("$z_1$", "$z_2$")

    @property
    def left(self) -> float:
        """The inches that numbers and name take to the left."""
        widest = max(text_width(_number(value), LABEL_SIZE) for value in self.down)
        return widest + TITLE_SIZE / 72 + 3 * SPACE

    @property
    def below(self) -> float:
        """The inches that numbers and name take below."""
        return (LABEL_SIZE + TITLE_SIZE) / 72 + 4 * SPACE

    def put(self, axes: "Axes", cell: tuple[int, int], gap: int) -> None:
        """Writes numbers and names at the axes of tiled images.

        Args:
            axes: That show them.
            cell: Height and width of an image, in pixels.
            gap: Pixels between images.
        """
        height, width = cell
        columns, rows = _some(len(self.across)), _some(len(self.down))
        axes.xaxis.tick_bottom()
        axes.set_xticks(
            [c * (width + gap) + (width - 1) / 2 for c in columns],
            [_number(self.across[c]) for c in columns], fontsize=LABEL_SIZE,
        )  # fmt: skip
        axes.set_yticks(
            [r * (height + gap) + (height - 1) / 2 for r in rows],
            [_number(self.down[r]) for r in rows], fontsize=LABEL_SIZE,
        )  # fmt: skip
        axes.set_xlabel(self.names[0], fontsize=TITLE_SIZE, labelpad=2)
        axes.set_ylabel(self.names[1], fontsize=TITLE_SIZE, labelpad=2)
        axes.tick_params(length=2, pad=2)
        for spine in axes.spines.values():
            spine.set_visible(False)


def _some(count: int) -> range:
    """Positions that get a number: evenly apart, from the first one."""
    return range(0, count, -(-count // TICKS))


def _number(value: float) -> str:
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}"
    return "0" if float(text) == 0 else text
