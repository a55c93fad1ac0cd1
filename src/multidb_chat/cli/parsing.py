"""Typed parameters without the library that Typer would load for them.

Typer (0.27 and later) coerces every parameter with pydantic, whose import takes longer than a cached answer. Our few
types are read here instead. Versions that know nothing of `_runtime_param` coerce as they always did.
"""

from pathlib import Path
from typing import Any, get_args, get_origin

import typer

from multidb_chat.cli.session import session_of

_PLAIN = {str: "a text", int: "a whole number", float: "a number", Path: "a path"}
_FLAGS = frozenset({"1", "true", "t", "yes", "y", "on"})


class PlainParameter:
    """Reads a parameter of type str, int, float, Path or bool, or a list of one of these."""

    def __init__(self, annotation: Any, low: float | None, high: float | None) -> None:
        self._type = get_args(annotation)[0] if get_origin(annotation) is list else annotation
        self._low = low
        self._high = high

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value as its type. Raises `typer.BadParameter`."""
        if param.multiple or param.nargs == -1:
            return [self._one(item, param, ctx) for item in value or ()]
        return None if value is None else self._one(value, param, ctx)

    def _one(self, value: Any, param: Any, ctx: Any) -> Any:
        if self._type is bool:
            return value if isinstance(value, bool) else str(value).lower() in _FLAGS
        try:
            read = self._type(value)
        except ValueError:
            raise typer.BadParameter(f"{value!r} is not {_PLAIN[self._type]}.", ctx=ctx, param=param) from None
        if (self._low is not None and read < self._low) or (self._high is not None and read > self._high):
            bounds = f"at least {self._low:g}" if self._high is None else f"between {self._low:g} and {self._high:g}"
            raise typer.BadParameter(f"{value!r} is not {bounds}.", ctx=ctx, param=param)
        return read


def show_help(context: typer.Context, _param: object, wanted: bool) -> None:
    """Print a command's help and leave."""
    if wanted and not context.resilient_parsing:
        session_of(context).console.write(context.get_help())
        raise typer.Exit


def quicken(command: Any, parent: Any = None) -> None:
    """Let the parameters of a command, and of those below it, be read here, where their types allow it.

    Help is printed here as well: by the console, which knows what to do when nobody reads it.
    """
    context = command.context_class(command, parent=parent, **command.context_settings)
    help_option = command.get_help_option(context)  # made now and kept by the command
    help_option.callback = show_help
    for param in [*command.params, help_option]:
        descriptor = getattr(param, "type_descriptor", None)
        annotation = getattr(descriptor, "annotation", None)
        leaf = get_args(annotation)[0] if get_origin(annotation) is list else annotation
        if descriptor is not None and (leaf is bool or leaf in _PLAIN):
            info = descriptor.parameter_info
            param._runtime_param = PlainParameter(annotation, info.min, info.max)
    for below in getattr(command, "commands", {}).values():
        quicken(below, context)
