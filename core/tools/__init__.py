"""Tools: plain typed functions that a model may call. One file here = one tool; `@tool` makes it known.

    @tool
    def word_count(text: Annotated[str, Field(description="Any text")]) -> str:
        \"\"\"How many words a text has.\"\"\"
        return str(len(text.split()))

The name, the description and the parameters that the model is told come from the function itself.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from core.errors import ToolError
from core.llm import ToolSpec
from core.plugins import modules


def tool(function: Callable[..., str]) -> ToolSpec:
    """A ToolSpec from a typed function. The first paragraph of its docstring is told to the model, the rest to people.

    Arguments are checked strictly: nothing missing, nothing extra, no text where a number is asked for.
    The function raises ToolError with a sentence for the model when it has no answer.
    """
    arguments = _model(function)
    description, _, note = (inspect.getdoc(function) or "").partition("\n\n")
    return ToolSpec(
        name=function.__name__,
        description=" ".join(description.split()),
        parameters=_schema(arguments),
        run=partial(_run, function, arguments),
        note=" ".join(note.split()),
    )


def tools() -> dict[str, ToolSpec]:
    """Every tool of this folder, by name."""
    found = [value for module in modules(sys.modules[__name__]) for value in vars(module).values()]
    return {spec.name: spec for spec in found if isinstance(spec, ToolSpec)}


def _model(function: Callable[..., str]) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    required = inspect.Parameter.empty
    fields: dict[str, Any] = {
        name: (hints[name], ... if parameter.default is required else parameter.default)
        for name, parameter in inspect.signature(function).parameters.items()
    }
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid", strict=True), **fields)


def _schema(arguments: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema without pydantic's titles, which only cost tokens."""
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    for parameter in schema.get("properties", {}).values():
        parameter.pop("title", None)
    return schema | {"properties": schema.get("properties", {})}


def _run(function: Callable[..., str], arguments: type[BaseModel], given: Mapping[str, Any]) -> str:
    try:
        checked = arguments.model_validate(dict(given))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ToolError(f"The arguments do not fit: {wrong}.") from error
    return function(**{name: getattr(checked, name) for name in arguments.model_fields})
