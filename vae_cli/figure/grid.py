"""Images in rows: what they are of, and how those of several models go into one picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from vae_cli.figure.base import Content, Drawing, Inapplicable
from vae_cli.figure.panels import sheets
from vae_cli.figure.sheet import GREY, INCH, Limits, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


@dataclass(frozen=True)
class Grid(Content):
    """Images in rows.

    Attributes:
        title: Above all.
        images: Shape ``(N, C, H, W)``, row by row from the top.
        columns: Images in a row.
        rows: Labels of the rows, one each; none where rows mean nothing.
        heads: Labels of the columns, one each; maybe none.
        limits: The values that are black and white.
    """

    title: str
    images: Tensor
    columns: int
    rows: Sequence[str] = ()
    heads: Sequence[str] = ()
    limits: Limits = GREY

    def drawing(
        self, arrays: Mapping[str, np.ndarray], frames: Sequence[np.ndarray] = ()
    ) -> Drawing:
        """The picture of these images."""
        has_heads_alone = bool(self.heads) and not self.rows  # then a head is a column's own
        return Drawing(self.canvas(), arrays, frames, None if has_heads_alone else self)

    def canvas(self) -> "Canvas":
        """The picture alone."""
        return sheet(self.images, self.columns, self.title, self.rows, self.heads, self.limits)

    def stacked(self, names: Sequence[str], others: Sequence["Grid"]) -> "Canvas":
        """Rows below each other, those that all models have in common once; else side by side."""
        grids = [self, *others]
        if len({(*grid.images.shape[1:], grid.columns) for grid in grids}) > 1:
            raise Inapplicable("has images of another size, or more of them")
        if not self.rows:
            panels = [(name, grid.images) for name, grid in zip(names, grids, strict=True)]
            return sheets(panels, self.columns, self.title, self.columns * INCH, self.limits)
        shared = _shared(grids)
        parts, rows = [grid_rows(self)[row] for row in shared], [self.rows[row] for row in shared]
        for name, grid in zip(names, grids, strict=True):
            for row, (label, images) in enumerate(zip(grid.rows, grid_rows(grid), strict=True)):
                if row not in shared:
                    rows.append(f"{name}: {label}")
                    parts.append(images)
        return replace(self, images=torch.cat(parts), rows=rows).canvas()


def grid_rows(grid: Grid) -> tuple[Tensor, ...]:
    """The images of each row."""
    return grid.images.split(grid.columns)


def _shared(grids: Sequence[Grid]) -> list[int]:
    """The rows from the top that are the same in all grids: what the models were given."""
    count = min(len(grid.rows) for grid in grids)
    first, found = grids[0], list[int]()
    for row in range(count):
        same = all(
            grid.rows[row] == first.rows[row]
            and torch.equal(grid_rows(grid)[row].cpu(), grid_rows(first)[row].cpu())
            for grid in grids
        )
        if not same:
            break
        found.append(row)
    return found
