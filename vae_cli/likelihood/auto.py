"""The likelihood that suits a kind of images."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Choice(NamedTuple):
    """An option of the group ``likelihood``, and the values that replace its own."""

    option: str
    values: Mapping[str, Any]


BITS = Choice("bernoulli", {})
SHADES = Choice("gaussian", {"scale": "shared", "mean": "sigmoid"})
REALS = Choice("gaussian", {"scale": "shared"})

SUITED: Mapping[str, Choice] = {  # by the words of vae_cli.data.kind
    "binary": BITS,
    "grey": BITS,  # binarized: the usual treatment of digits and the like
    "shaded": SHADES,
    "colour": SHADES,
    "real": REALS,
}


def choose(kind: str) -> Choice:
    """The likelihood of a kind of images.

    Args:
        kind: A word of ``vae_cli.data.kind``.
    """
    return SUITED[kind]
