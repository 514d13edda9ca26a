"""JSON schemas in words."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from scripts.reference.markdown import code

Schema: TypeAlias = dict[str, Any]
"""A schema, or the components by name: JSON, as msgspec makes it."""

_END: Final = r"$(?!\n)"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object, at whatever depth.

    Attributes:
        path: Names from the outermost object on; ``[]`` stands for the items of a list.
        rule: What it may be.
        default: What counts where it is missing; empty where it must not be.
    """

    path: str
    rule: str
    default: str


def members(schema: Schema, schemas: Schema, prefix: str = "") -> Iterator[Member]:
    """Yield the members of an object, each followed by those of the objects in it."""
    shape = _resolved(schema, schemas)
    required = shape.get("required", ())
    for name, value in shape["properties"].items():
        path = f"{prefix}{name}"
        is_list = value.get("type") == "array"
        inner = _resolved(value.get("items") or {} if is_list else value, schemas)
        default = "" if name in required else _default(value, inner)
        yield Member(path, rule(value, schemas), default)
        if "properties" in inner:
            yield from members(inner, schemas, f"{path}[]." if is_list else f"{path}.")


def rule(schema: Schema, schemas: Schema) -> str:
    """Return what a value may be."""
    schema = _resolved(schema, schemas)
    if "anyOf" in schema:
        return " or ".join(rule(each, schemas) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(code(each) for each in schema["enum"])
    kind = str(schema.get("type", "any JSON"))
    return _WORDS[kind](schema, schemas) if kind in _WORDS else kind


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    if "$ref" in schema:
        resolved: Schema = schemas[schema["$ref"].rpartition("/")[2]]
        return resolved
    return schema


def _default(value: Schema, inner: Schema) -> str:
    if "properties" in inner and value.get("type") != "array":
        return "as its members say"
    if "default" not in value:
        return "optional"
    return code(json.dumps(value["default"], ensure_ascii=False))


def _number(schema: Schema, _schemas: Schema) -> str:
    kind = "whole number" if schema["type"] == "integer" else "number"
    if "exclusiveMinimum" in schema:
        return f"{kind} above {schema['exclusiveMinimum']}, at most {schema['maximum']}"
    if "minimum" not in schema:
        return kind
    return f"{kind}, {schema['minimum']}..{schema['maximum']}"


def _text(schema: Schema, _schemas: Schema) -> str:
    if schema.get("format") == "date":
        return "date, `YYYY-MM-DD`"
    limit = f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    if schema.get("description", "").startswith("base64"):
        return f"{schema['description']}{limit}"
    if "pattern" in schema:
        return code(schema["pattern"].removeprefix("^").removesuffix(_END)) + limit
    return f"text{limit}"


def _list(schema: Schema, schemas: Schema) -> str:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    count = str(low) if low == high else f"{low}..{high}" if high is not None else "any number"
    items = schema.get("items")
    inner = _resolved(items, schemas) if items else {}
    what = "objects" if "properties" in inner else rule(inner, schemas)
    return f"list of {count}: {what}"


def _object(schema: Schema, schemas: Schema) -> str:
    if "properties" in schema:
        return "object"
    names = schema.get("propertyNames")
    name = rule({"type": "string", **names}, schemas) if names else "any name"
    return f"object: {name} → {rule(schema['additionalProperties'], schemas)}"


_WORDS: Final[Mapping[str, Callable[[Schema, Schema], str]]] = {
    "integer": _number,
    "number": _number,
    "string": _text,
    "array": _list,
    "object": _object,
}
