"""What works with some models only: objectives, metrics, figures and analyses."""

from typing import Generic, TypeVar, get_args

from vae_cli.model.base import Model

M = TypeVar("M", bound=Model)


class ForModels(Generic[M]):
    """The base of what works with the models of one class.

    A subclass names the class once, as its type argument: what mypy checks and what
    ``mismatch`` checks are then the same.

    Attributes:
        model_class: The models that it works with.

    Example:
        >>> from vae_cli.model.base import LatentVariableModel
        >>> class Tightness(ForModels[LatentVariableModel]): ...
        >>> Tightness.model_class.description
        'a model with a prior'
    """

    model_class: type[Model] = Model

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Model):
                    cls.model_class = argument

    def mismatch(self, model: Model) -> str | None:
        """Why it does not work with a model, ``needs a model with a prior``; None if it does."""
        if isinstance(model, self.model_class):
            return None
        return f"needs {self.model_class.description}"
