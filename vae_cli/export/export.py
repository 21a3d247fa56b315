"""A trained model as files that run without this package."""

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from omegaconf import DictConfig
from safetensors.torch import save
from torch import Tensor
from torch.export import Dim, ExportedProgram
from torch.export.graph_signature import InputKind

import vae_cli
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.export.graphs import EXAMPLES, NAMES, Graph, graphs_of
from vae_cli.export.note import NOTE, RECORD, WEIGHTS, export_record, note
from vae_cli.model.base import Model
from vae_cli.run.checkpoint import checkpoint_of, load_model
from vae_cli.run.files import place_of_output, sha256_of, write_json
from vae_cli.run.folder import RunFolder

SUFFIX = {"torch_export": ".pt2", "onnx": ".onnx"}  # by format
OWN_NAME = "export"  # in a run's folder
REMEDY = "Try output=SOME_OTHER_FOLDER."


@torch.no_grad()
def export(
    run: str, formats: Sequence[str], output: str | None, checkpoint: str, trust: bool
) -> Path:
    """Writes a run's encoder, decoder and weights, and what they are, into a folder.

    Args:
        run: The run's folder.
        formats: Of ``SUFFIX``.
        output: The folder to write to, which an earlier export may be in; None for ``export`` in
            the run's folder.
        checkpoint: ``best`` or ``last``.
        trust: Whether the run's configuration may name modules that are not of this package.

    Returns:
        The folder.

    Raises:
        VaeCliError: If something can't be had, or the folder is another's; nothing is then written.
    """
    folder = RunFolder.existing(run, key="run")
    source = checkpoint_of(folder, checkpoint)
    wanted = folder.path / OWN_NAME if output is None else Path(output)
    with _made_whole(wanted) as partial:
        model, config = load_model(source, trust)
        graphs = graphs_of(model.eval().requires_grad_(False), _examples(config))
        for name, graph in graphs.items():
            program = _program(name, graph)
            for each in formats:
                _WRITERS[each](program, graph, partial / f"{name}{SUFFIX[each]}")
        _write_weights(model, partial / WEIGHTS)
        basis = {
            "versions": {"vae-cli": vae_cli.__version__, "torch": str(torch.__version__)},
            "checkpoint": source.name,
            "checkpoint_sha256": sha256_of(source),
        }
        files = {name: [f"{name}{SUFFIX[each]}" for each in formats] for name in graphs}
        record = export_record(model, config, graphs, files)
        write_json(partial / RECORD, {**basis, **record})
        (partial / NOTE).write_text(note({**basis, **record}), encoding="utf-8")
    return wanted


def _examples(config: DictConfig) -> Tensor:
    shape = (EXAMPLES, *config.derived.shape)
    return torch.linspace(0, 1, torch.Size(shape).numel()).view(shape)


def _program(name: str, graph: Graph) -> ExportedProgram:
    """A graph as torch exports it, for any number of images, found to give the same numbers."""
    number = Dim("N", min=1)
    shapes = tuple({0: number} for _ in graph.inputs)
    try:
        program = torch.export.export(
            graph.module, tuple(graph.inputs.values()), dynamic_shapes=shapes
        )
    except Exception as error:  # torch raises whatever stands in its way
        rule = " ".join(str(error).split())[:200] or type(error).__name__
        raise VaeCliError(f"{name}: torch can't export it: {rule}") from error
    _leave_out_unused(program)
    three = [torch.cat([value, value[:1]]) for value in graph.inputs.values()]
    for ours, theirs in zip(graph.module(*three), program.module()(*three), strict=True):
        if not torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5, equal_nan=True):
            raise VaeCliError(
                f"{name}: the exported file gives other numbers than the model. What draws at "
                "random cannot be exported, such as a flow that gives model=m1_m2 its features."
            )
    return program


def _leave_out_unused(program: ExportedProgram) -> None:
    """Takes the weights out of a program that it does not use: an encoder's the decoder's."""
    signature = program.graph_signature
    users = {node.name: node.users for node in program.graph.nodes if node.op == "placeholder"}
    unused = {
        spec.arg.name: spec.target for spec in signature.input_specs
        if spec.kind is not InputKind.USER_INPUT and not users[spec.arg.name]
    }  # fmt: skip
    for node in [node for node in program.graph.nodes if node.name in unused]:
        program.graph.erase_node(node)
    signature.input_specs[:] = [s for s in signature.input_specs if s.arg.name not in unused]
    program.graph_module.recompile()
    for target in unused.values():
        program.state_dict.pop(target, None)
        program.constants.pop(target, None)  # what has no place in a checkpoint


def _write_torch_export(program: ExportedProgram, graph: Graph, path: Path) -> None:
    content = io.BytesIO()  # torch does not say that a disk is full
    torch.export.save(program, content)
    path.write_bytes(content.getbuffer())


def _write_onnx(program: ExportedProgram, graph: Graph, path: Path) -> None:
    try:
        onnx = torch.onnx.export(
            program, (), input_names=list(graph.inputs), output_names=list(graph.outputs),
            dynamo=True, verbose=False,
        )  # fmt: skip
    except torch.onnx.OnnxExporterError as error:
        rule = f"{path.stem} uses operations that ONNX lacks"
        raise ConfigError("format", "onnx", rule, "Try format=torch_export.") from error
    assert onnx is not None  # it is where no file is given
    onnx.save(path, external_data=False)


_WRITERS = {"torch_export": _write_torch_export, "onnx": _write_onnx}


def _write_weights(model: Model, path: Path) -> None:
    weights = {name: value.clone().contiguous() for name, value in model.state_dict().items()}
    path.write_bytes(save(weights, {"format": "pt", "vae-cli": vae_cli.__version__}))


@contextmanager
def _made_whole(wanted: Path) -> Iterator[Path]:
    """A folder to write to, which takes the place of ``wanted`` in the end: whole, or not at all.

    Raises:
        ConfigError: If something that is no export is there, or nothing can be written.
    """
    wanted = place_of_output(wanted, _is_export, "an earlier export", OWN_NAME)
    above = next(path for path in wanted.absolute().parents if path.exists())
    try:
        temporary = tempfile.TemporaryDirectory(dir=above, prefix=".export-")
    except OSError as error:
        rule = f"nothing can be written there ({error.strerror})"
        raise ConfigError("output", wanted, rule, REMEDY) from error
    with temporary as beside:
        partial = Path(beside, "new")
        partial.mkdir()
        try:
            yield partial
            wanted.parent.mkdir(parents=True, exist_ok=True)
            if wanted.exists():
                wanted.rename(Path(beside, "old"))
            partial.rename(wanted)
        except OSError as error:
            rule = f"can't be written ({error.strerror or error})"
            raise ConfigError("output", wanted, rule, REMEDY) from error


def _is_export(path: Path) -> bool:
    """Whether a folder is empty, or holds what an export writes and nothing else."""
    functions = {f"{name}{suffix}" for name in NAMES for suffix in SUFFIX.values()}
    own = {NOTE, RECORD, WEIGHTS, *functions}
    names = {child.name for child in path.iterdir()} if path.is_dir() else {"not a folder"}
    return not names or (RECORD in names and names <= own)
