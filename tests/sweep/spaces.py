"""Search spaces as the command line states them."""

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override


def choices(*texts: str) -> list[Override]:
    return OverridesParser.create().parse_overrides([*texts])
