"""Flows of several lengths, fitted to densities of the plane, in one picture."""

import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig
from rich.console import Console

from vae_cli.approximation.fit import FitOptions, fit_posterior, memory_of_fits
from vae_cli.approximation.measure import Divergence, diverge, log_densities
from vae_cli.approximation.picture import FitColumn, draw_fits
from vae_cli.config.build import build_each
from vae_cli.config.construct import construct
from vae_cli.energy.base import Energy
from vae_cli.errors import ConfigError
from vae_cli.folders import replaced
from vae_cli.memory import as_bytes, machine_memory
from vae_cli.posterior.base import Posterior
from vae_cli.progress import progress
from vae_cli.run.files import write_arrays, write_json

DIMENSIONS = 2
DRAWS = 100_000  # for the KL: its standard error is then some thousandths of a nat


class FlowFits:
    """The fits of all lengths to all energies.

    Args:
        cfg: As composed from ``flow.yaml``.

    Raises:
        VaeCliError: If something of it can't be built.
    """

    def __init__(self, cfg: DictConfig) -> None:
        self.energies: Mapping[str, Energy] = build_each(cfg, "energy")
        self.options = FitOptions(**{f.name: cfg[f.name] for f in fields(FitOptions)})
        _check_memory(list(cfg.lengths), len(self.energies), self.options)
        make: Callable[..., Posterior] = construct(cfg, "posterior", partial=True)
        self.posteriors = {k: make(latent_dim=DIMENSIONS, flow_length=k) for k in cfg.lengths}

    def run(self, folder: Path, suffix: str, console: Console) -> dict[str, Any]:
        """Fits, measures, draws, and writes everything into a folder.

        Returns:
            What ``results.json`` holds: by energy, log Z and the numbers of each length.
        """
        energies = list(self.energies.values())
        log_p, log_z = log_densities(energies)
        results: dict[str, Any] = {
            name: {"log_normalizer": log_z[i].item(), "length": {}}
            for i, name in enumerate(self.energies)
        }
        arrays: dict[str, np.ndarray] = {}
        columns = [FitColumn("target", log_p, [""] * len(energies))]
        for length, posterior in self.posteriors.items():
            start = time.perf_counter()
            with progress(f"K = {length}", self.options.steps, "steps", console) as after_step:
                parameters = fit_posterior(posterior, energies, self.options, after_step)
            q = posterior(parameters.double())
            found = diverge(q, energies, log_z, DRAWS, self.options.seed)
            seconds = time.perf_counter() - start
            for i, name in enumerate(self.energies):
                arrays[f"{name}/{length}"] = parameters[i].numpy()
                results[name]["length"][str(length)] = _numbers(found, i, seconds)
            notes = [f"KL {kl:.2f} nats" for kl in found.kl.tolist()]
            columns.append(FitColumn(f"K = {length}", found.log_q, notes))
        write_json(folder / "results.json", results)
        write_arrays(folder / "parameters.npz", arrays)
        with replaced(folder / f"flow.{suffix}") as file:
            draw_fits(list(self.energies), columns).savefig(file, format=suffix)
        return results


def _check_memory(lengths: list[int], energies: int, options: FitOptions) -> None:
    needed, there = memory_of_fits(lengths, energies, options), machine_memory()
    if needed > there:
        largest = {name: getattr(options, name) for name in ("restarts", "samples")}
        largest["lengths"] = max(lengths)
        key = max(largest, key=largest.__getitem__)
        rule = f"the fits take {as_bytes(needed)}, and there are {as_bytes(there)} of memory here"
        raise ConfigError(key, largest[key], rule, f"Try smaller {key}.")


def _numbers(found: Divergence, row: int, seconds: float) -> dict[str, float]:
    return {
        "kl": found.kl[row].item(),
        "kl_se": found.kl_se[row].item(),
        "mass": found.mass[row].item(),
        "seconds": seconds,  # of all energies together: they are fitted side by side
    }
