"""The choice of a model's own posterior."""

from typing import NoReturn

from vae_cli.errors import ConfigError


class ExactPosterior:
    """Stands for p(z|x) itself, which a model that knows its formula computes without an encoder.

    It is a choice, not a ``Posterior``: it can't be built from what a network says.
    """

    def __call__(self, latent_dim: int) -> NoReturn:
        """Tells that the model can't do without an encoder.

        Raises:
            ConfigError: Always: a model that has a formula does not ask for an encoder's posterior.
        """
        rule = "this model's own posterior has no formula"
        raise ConfigError("posterior", "exact", rule, "Try posterior=diagonal, or model=ppca.")
