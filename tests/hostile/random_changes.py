"""Values at random, and changes at random within nested structures."""

from random import Random
from typing import Any

from rows_parts import INTERPOLATIONS, TARGETS
from rows_text import TEXTS

PARTS = [  # that yamls of the package name, most of them in another place
    "vae_cli.model.vae.VAE", "vae_cli.model.m2.M2", "vae_cli.network.mlp.MLP",
    "vae_cli.network.conv.Conv", "vae_cli.prior.standard.StandardPrior", "torch.optim.Adam",
    "vae_cli.posterior.radial.RadialPosterior", "vae_cli.posterior.exact.ExactPosterior",
    "vae_cli.likelihood.gaussian.GaussianLikelihood", "vae_cli.objective.elbo.Elbo",
    "vae_cli.data.digits.load", "vae_cli.data.plane.circles", "vae_cli.figure.samples.Samples",
    "vae_cli.kl_schedule.linear.LinearSchedule", "vae_cli.training.csv_logger.CurveTable",
]  # fmt: skip
NUMBERS = [0, 1, -1, 2, 3, 0.5, -0.5, 1e308, 1e-308, float("nan"), float("inf"), -float("inf"),
           2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 10**9, 10**12, 100_000]  # fmt: skip
PLAIN = [None, True, False, "", "text", "1", "null", "true", "0x10", "1e3", [], {}, [1], [None],
         [[1]], {"a": 1}, {"": 1}, ["a", "b"], [0] * 1000, "auto", "none", "static"]  # fmt: skip


def a_value(random: Random) -> Any:
    """What may stand in a yaml or a JSON file, for better or worse."""
    kind = random.randrange(8)
    if kind < 2:
        return random.choice(NUMBERS)
    if kind < 4:
        return random.choice(PLAIN)
    if kind == 4:
        return random.choice([*INTERPOLATIONS.values()])
    if kind == 5:
        return random.choice([*TEXTS.values()])
    return a_node(random)


def a_node(random: Random) -> dict[str, Any]:
    """A node that asks to be built."""
    target = random.choice([*TARGETS.values(), *PARTS])
    node: dict[str, Any] = {"_target_": target}
    for name, value in (("_partial_", True), ("_args_", ["hit"]), ("_convert_", "all"),
                        ("_recursive_", False), ("path", "hit"), ("hidden_dims", [4]),
                        ("latent_dim", 2), ("name", "hit"), ("command", "touch hit")):  # fmt: skip
        if random.random() < 0.3:
            node[name] = value
    return node


def places(node: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of keys to everything within a nested structure."""
    children = node.items() if isinstance(node, dict) else enumerate(node)
    found: list[tuple[Any, ...]] = []
    for key, child in children:
        found.append((*above, key))
        if isinstance(child, (dict, list)):
            found += places(child, (*above, key))
    return found


def within(node: Any, path: tuple[Any, ...]) -> Any:
    """What stands at a path of keys."""
    for key in path:
        node = node[key]
    return node


def change(random: Random, content: Any) -> None:
    """Changes something within a nested structure."""
    path = random.choice(places(content))
    parent, key = within(content, path[:-1]), path[-1]
    how = random.randrange(7)
    if how == 0:
        del parent[key]
    elif how == 1 and isinstance(parent, dict):
        parent[random.choice(["nope", "_target_", "trust", "__class__", f"{key} "])] = parent[key]
    elif how == 2:
        parent[key] = within(content, random.choice(places(content)))
    elif how == 3 and isinstance(parent, dict):
        parent[random.choice([*TEXTS.values(), "_args_", "_target_"])] = a_value(random)
    elif how == 4 and isinstance(parent[key], (int, float)):
        parent[key] = random.choice([parent[key] * 1000, -parent[key], f"{parent[key]}", 0])
    else:
        parent[key] = a_value(random)
