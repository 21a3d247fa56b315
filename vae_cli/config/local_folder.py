"""The folder ``conf`` of the working directory, which may be another program's."""

from pathlib import Path

CONF = Path("conf")
MARKED = CONF / "vae_cli"  # holds yamls for this package alone


def unmarked_folder(groups: set[str]) -> Path | None:
    """``conf``, unless there is ``conf/vae_cli`` or it looks like another program's.

    Other programs that use Hydra have a primary file in it, or groups of other names.

    Args:
        groups: The names of the groups that this package has.
    """
    is_read = CONF.is_dir() and not MARKED.is_dir()
    return CONF if is_read and all(p.parts[0] in groups for p in _yamls()) else None


def remedy_for(group: str, name: str) -> str:
    """The remedy for an option in ``conf`` that is not read; empty for any other option."""
    file = CONF / group / f"{name}.yaml"
    if not file.is_file():
        return ""
    return f"{file} is not read, as conf holds other files, too. Move it into {MARKED / group}/."


def _yamls() -> list[Path]:
    """All but hidden ones."""
    files = [file.relative_to(CONF) for file in CONF.rglob("*.yaml")]
    return [file for file in files if not any(part.startswith(".") for part in file.parts)]
