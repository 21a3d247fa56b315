"""vae-sample: pictures of trained models."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from vae_cli.commands.entry import command
from vae_cli.commands.runs import runs_of
from vae_cli.config.compose import compose
from vae_cli.config.grammar import quoted
from vae_cli.config.keys import SHORT_KEYS
from vae_cli.config.path_words import as_path
from vae_cli.config.request import Request
from vae_cli.errors import ConfigError, VaeCliError, as_written
from vae_cli.launch.libraries import prepare_libraries
from vae_cli.run.files import check_writable

if TYPE_CHECKING:
    from rich.console import Console

    from vae_cli.run.subject import Subject

NEEDED = {"run": "RUN_DIR", "what": "samples"}  # keys, each with an example
ENDS = ("from", "to")
FORMATS = ("png", "svg", "pdf", "npz", "gif")


@contextmanager
def _short_keys() -> Iterator[None]:
    """Names a mistake's key as the user did."""
    try:
        yield
    except ConfigError as error:
        short = next((key for key, whole in SHORT_KEYS.items() if whole == error.key), error.key)
        raise ConfigError(short, error.value, error.rule, error.remedy) from error


@_short_keys()
def _composed(request: Request) -> DictConfig:
    """The configuration with the pictures of ``what`` and their options in full.

    Raises:
        VaeCliError: If ``what`` is missing, or anything is wrong.
    """
    missing = [key for key in NEEDED if not any(request.values(key))]
    if "what" in missing:
        example = " ".join(f"{key}={NEEDED[key]}" for key in missing)
        raise VaeCliError(f"{' and '.join(missing)}: required. Try {example}.")
    if request.names("beside"):
        other = request.value("beside")
        word = shlex.quote(f"run={request.value('run')},{other}")
        raise ConfigError("beside", other, "was replaced by run=A,B", f"Try {word}.")
    what = request.value("what").strip("[]")
    chosen = [name.strip() for name in what.split(",")]
    options = [_in_full(key, request, chosen) for key in SHORT_KEYS if request.names(key)]
    others = request.without("run", "what", *SHORT_KEYS).texts
    try:
        cfg, _ = compose("sample", [f"figure=[{what}]", *others, *options], request.config_dir)
    except ConfigError as error:
        if error.key != "figure":
            raise
        remedy = error.remedy.replace("figure=", "what=").replace("[", "").replace("]", "")
        raise ConfigError("what", error.value, error.rule, remedy) from error
    OmegaConf.resolve(cfg)
    return cfg


def _in_full(key: str, request: Request, chosen: Sequence[str]) -> str:
    """The override that a short key stands for."""
    value, figure = request.value(key), SHORT_KEYS[key].split(".")[1]
    if figure not in chosen:
        raise ConfigError(key, value, f"needs what={figure}", "Leave it out.")
    is_path = key in ENDS and value is not None and not value.lstrip("-").isdigit()
    return f"{SHORT_KEYS[key]}={quoted(as_path(value)) if is_path else as_written(value)}"


@command("sample", runs_of, _composed)
@_short_keys()
def main(cfg: DictConfig, runs: list[str], request: Request) -> int:
    """Runs the command."""
    _check(cfg, request, len(runs))
    prepare_libraries()
    from vae_cli.config.build import build_each
    from vae_cli.console import make_console, print_note
    from vae_cli.run.subject import load_subject

    figures = {} if cfg.count is not None else build_each(cfg, "figure")
    console, subjects = make_console(), []
    for path in runs:
        subject = load_subject(
            path, cfg, lambda model: any(each.needs_images(model) for each in figures.values())
        )
        subjects.append(subject)
        for note in subject.notes:
            print_note(console, note)
    folder = _named_folder(cfg.output) if cfg.output else _own_folder(subjects)
    usual = _composed(request.within("run", "what"))
    write = _write_pictures if cfg.count is None else _write_samples
    write(subjects, cfg, usual, folder, console)
    return 0


def _check(cfg: DictConfig, request: Request, runs: int) -> None:
    """Raises ConfigError for the first key that does not go with the others."""
    is_samples = request.value("what") == "samples" and cfg.format in ("png", "npz")
    if cfg.count is not None and not is_samples:
        rule = "needs what=samples and format=png or npz"
        raise ConfigError("count", cfg.count, rule, "Leave it out.")
    if cfg.output is not None and Path(cfg.output).suffix[1:] in FORMATS:
        rule = "is the name of a file, but must be a folder"
        remedy = f"Try output={Path(cfg.output).with_suffix('')}."
        raise ConfigError("output", cfg.output, rule, remedy)
    if cfg.label is not None and cfg.count is None:
        rule = "needs count"
        raise ConfigError("label", cfg.label, rule, "Add count=100, or try what=styles.")
    if runs > 1 and (cfg.count is not None or cfg.format == "gif"):
        key = "format" if cfg.count is None else "count"
        rule = f"works with one run, but run= names {runs}"
        raise ConfigError(key, cfg[key], rule, "Try a picture as png, svg or pdf.")
    if len(given := [key for key in ENDS if request.names(key)]) == 1:
        other = next(key for key in ENDS if key not in given)
        value = request.value(given[0])
        raise ConfigError(given[0], value, "needs the other end", f"Add {other}=87.")


def _own_folder(subjects: "Sequence[Subject]") -> Path:
    """Where in the first run's folder pictures go; those with other runs are not its own."""
    from vae_cli.run.pictures import names_of

    figures = subjects[0].folder.figures
    if len(subjects) == 1:
        return figures
    return figures / "_".join(["with", *names_of(subjects)[1:]]).replace("/", "_")[:100]


def _named_folder(output: str) -> Path:
    """The folder that the user names, which may be a link."""
    folder = Path(output)
    return folder.resolve() if folder.is_symlink() else folder


def _write_pictures(
    subjects: "Sequence[Subject]", cfg: DictConfig, usual: DictConfig, folder: Path,
    console: "Console",
) -> None:  # fmt: skip
    from functools import partial

    from vae_cli.config.build import build_each
    from vae_cli.console import print_line, print_note
    from vae_cli.evaluation.variants import variant
    from vae_cli.run.files import check_replaced, sha256_of
    from vae_cli.run.pictures import caption, draw_together, in_motion, is_picture, write_picture

    figures, first = build_each(cfg, "figure"), subjects[0]
    drawings = draw_together(subjects, figures, cfg.seed)
    if cfg.format == "gif":
        drawings = in_motion(drawings, first.folder.path, partial(print_note, console))
    paths = {}
    for name, drawing in drawings.items():
        split = first.measured if figures[name].needs_images(first.model) else None
        paths[name] = folder / f"{variant(name, cfg, usual, split)}.{cfg.format}"
        if cfg.output is not None:
            is_ours = partial(is_picture, arrays=drawing.arrays)
            check_replaced(paths[name], is_ours, "a picture of vae-sample")
    _make(folder)
    words = caption([(each.config, each.folder) for each in subjects])
    for name, path in paths.items():
        drawing = drawings[name]
        write_picture(drawing, path, words, sha256_of(first.checkpoint))
        print_line(console, path)


def _write_samples(
    subjects: "Sequence[Subject]", cfg: DictConfig, usual: DictConfig, folder: Path,
    console: "Console",
) -> None:  # fmt: skip
    from vae_cli.console import print_line
    from vae_cli.evaluation.samples import (
        check_samples,
        label_of,
        prior_of,
        sample_chunks,
        write_images,
        write_sample_arrays,
    )
    from vae_cli.evaluation.variants import variant
    from vae_cli.example import describe_examples, example_kind
    from vae_cli.progress import progress

    subject = subjects[0]
    prior_of(subject.model, cfg.count)  # before anything is written
    split = subject.splits[subject.measured]
    shape = split.images.shape
    if example_kind(shape) != "image" and cfg.format == "png":
        rule = f"needs images, and samples are {describe_examples(shape)}"
        raise ConfigError("format", cfg.format, rule, "Try format=npz, or leave out count.")
    options = cfg.figure.samples
    label = None if cfg.label is None else label_of(subject, str(cfg.label))
    chunks = sample_chunks(subject, cfg.count, options.temperature, options.draw, cfg.seed, label)
    path = folder / variant("samples", cfg, usual, None)
    path = path.with_name(f"{path.name}.npz") if cfg.format == "npz" else path
    if cfg.output is not None:
        check_samples(path, cfg.count)
    _make(folder)
    if cfg.format == "npz":
        written = write_sample_arrays(chunks, cfg.count, subject.model.latent_dim, shape, path)
    else:
        written = write_images(chunks, path, split.treatment.limits)
    done = 0
    with progress("samples", cfg.count, "images", console) as advance:
        for count in written:
            done += count
            advance(done)
    print_line(console, path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"can't be made ({error.strerror})"
        raise ConfigError("output", folder, rule, "Try output=SOME_WRITABLE_FOLDER.") from error
    check_writable("output", folder, "Try output=SOME_WRITABLE_FOLDER.")
