"""How many dimensions of z the model uses."""

from collections.abc import Mapping
from typing import Annotated

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.relations import mean_and_variance
from vae_cli.metric.base import Metric, Moments
from vae_cli.model.base import LatentVariableModel
from vae_cli.number import known
from vae_cli.options import AtLeast, Draws, NonNegativeFloat, checked

SURE = 2  # standard errors from the threshold


class ActiveUnits(Metric[LatentVariableModel]):
    r"""The number of dimensions with :math:`V_d = \mathrm{Var}_x(E_q[z_d]) >` threshold.

    (Burda et al. 2016, arXiv:1509.00519, section 5.2.) Where the means have no formula they are
    those of M draws in pairs of opposite noise. The noise of the draws adds to the variance; it is
    estimated from the means of the pairs and subtracted.

    The prior gives the threshold its unit.

    - ``active_units``: the count;
    - ``active_units_uncertain``: dimensions whose :math:`V_d` is within two of its standard errors
      of the threshold, so that other images may decide otherwise;
    - ``code_variance/d``: :math:`V_d`, squared units of z. It is unbiased, so noise can make it
      negative.

    Args:
        samples: M; of an odd number the last is left out.
        threshold: In squared units of z; 0.01 in the paper.
    """

    is_costly = False
    declares = known("active_units", "active_units_uncertain")

    @checked
    def __init__(
        self, samples: Annotated[Draws, AtLeast(4)] = 16, threshold: NonNegativeFloat = 0.01
    ) -> None:
        self.samples, self.threshold = samples, threshold

    def values(
        self, model: LatentVariableModel, batch: Batch, q: Distribution
    ) -> dict[str, Tensor]:
        """See the base class: m, its error's variance v, m² - v and m (m² - v), ``(B, D)``."""
        found = mean_and_variance(q, self.samples, is_fixed=False)
        means, noise = (model.latent(part).z.double() for part in found)
        square = means.square() - noise
        return {
            "z_mean": means,
            "z_mean_variance": noise,
            "z_mean_square": square,
            "z_mean_cube": means * square,
        }

    def result(self, moments: Mapping[str, Moments]) -> dict[str, float]:
        """See the base class."""
        variance, error = code_variance(moments)
        is_uncertain = (variance - self.threshold).abs() < SURE * error
        width = len(str(len(variance) - 1))  # so that sorting by name sorts by number
        return {
            "active_units": int(self.are_active(moments).sum()),
            "active_units_uncertain": int(is_uncertain.sum()),
            **{f"code_variance/{d:0{width}}": v for d, v in enumerate(variance.tolist())},
        }

    def are_active(self, moments: Mapping[str, Moments]) -> Tensor:
        """Which dimensions are active, ``(latent_dim,)``, from the moments of the ``values``."""
        return code_variance(moments)[0] > self.threshold


def code_variance(moments: Mapping[str, Moments]) -> tuple[Tensor, Tensor]:
    r""":math:`V_d = \mathrm{Var}_x(E_q[z_d])` and its standard error over images and draws.

    The error is that of the delta method: an image moves the estimate by
    :math:`(m - \bar m)^2 - v - V`, and hence by :math:`s - 2 \bar m m` but for a constant, with
    :math:`s = m^2 - v`.

    Args:
        moments: Of the values of ``ActiveUnits``.

    Returns:
        Two tensors, ``(latent_dim,)``, float64, squared units of z.
    """
    m, noise, square, cube = (
        moments[f"z_mean{end}"] for end in ("", "_variance", "_square", "_cube")
    )
    # Of m and s, unbiased as the variances are: the terms below cancel where means are large.
    covariance = (cube.mean - m.mean * square.mean) * m.images / max(m.images - 1, 1)
    spread = square.variance - 4 * m.mean * covariance + 4 * m.mean.square() * m.variance
    return m.variance - noise.mean, (spread.clamp_min(0) / m.images).sqrt()
