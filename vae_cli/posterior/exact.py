"""The choice of a model's own posterior."""

from typing import NoReturn

from vae_cli.errors import InvalidOption


class ExactPosterior:
    """Stands for p(z|x) itself, which a model that knows its formula computes without an encoder.

    It is a choice, not a ``Posterior``: it can't be built from what a network says.
    """

    def __call__(self, latent_dim: int) -> NoReturn:
        """Tells that the model can't do without an encoder.

        Raises:
            InvalidOption: Always: a model with a formula asks for no encoder's posterior.
        """
        rule = "this model's own posterior has no formula"
        raise InvalidOption("", "exact", rule, "Try {}=diagonal, or the model ppca.")
