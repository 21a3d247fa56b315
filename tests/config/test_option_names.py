"""Tables, notes and dashboards call a part by the option that chooses it."""

from omegaconf import OmegaConf
from yamls import ROOT, YAMLS, group_of, targets

from vae_cli.config.compose import compose
from vae_cli.config.vocabulary import name_of
from vae_cli.run.settings import plain, settings_of_run

SEVERAL = {"linear_gaussian", "linear", "published"}  # modules that several options share
UNSEEN = {"choose"}  # of likelihood=auto: a run records what it chose


def test_a_class_is_called_by_an_option() -> None:
    for group in ("posterior", "prior", "likelihood", "network", "model", "objective", "optimizer"):
        files = [path for path in YAMLS if group_of(path) == group]
        for path in files:
            content = OmegaConf.load(ROOT / path)
            names = {name_of(str(node._target_)) for node in targets(content)[:1]}
            assert names <= {file.stem for file in files} | SEVERAL | UNSEEN, path


def test_a_class_of_somebody_else_keeps_its_name() -> None:
    assert name_of("mine.radial.Spiral") == "Spiral" and name_of("Spiral") == "Spiral"


def test_settings_are_options() -> None:
    words = ["posterior=radial", "optimizer/lr_schedule=cosine", "seed=3"]
    found = settings_of_run(
        plain(compose("train", words)[0]) | {"data": {"_target_": "vae_cli.data.digits.load"}}
    )
    expected = {"model": "vae", "posterior": "radial", "optimizer": "adam", "network": "mlp",
                "optimizer.lr_schedule": "cosine", "likelihood": "bernoulli"}  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert not any("Posterior" in str(value) for value in found.values())
