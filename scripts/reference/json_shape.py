"""The shape of a JSON value: which members it has, at whatever depth, and of which types."""

import json
from collections.abc import Collection, Iterator
from typing import Final

_TYPES: Final = {bool: "true or false", int: "integer", float: "number", str: "string"}
_INDENT: Final = "  "


def shape_of(value: object, *, maps: Collection[str] = ()) -> dict[str, set[str]]:
    """Return the types that stand at each path.

    ``a.b[]`` is the path of the items of a list in member ``b`` of member ``a``. Only what has no
    members of its own is named.

    Args:
        value: A value as `json.loads` returns it.
        maps: Paths that end in ``*``: what stands there has names that are no members, but data.
    """
    shape: dict[str, set[str]] = {}
    for path, kind in _leaves(value, "", maps):
        shape.setdefault(path, set()).update({kind} if kind else set())
    return shape


def written(value: object, *, width: int = 88, indent: str = "", lead: str = "") -> str:
    """Return JSON for people: on one line what fits, else each member on a line of its own.

    Args:
        value: What is written.
        width: How many characters a line may have where it can be broken.
        indent: What every line after the first begins with.
        lead: What stands in front of the value on its first line.
    """
    line = json.dumps(value, ensure_ascii=False)
    if len(indent + lead + line) <= width or not isinstance(value, dict | list) or not value:
        return lead + line
    inner = indent + _INDENT
    if isinstance(value, dict):
        leads = [f"{json.dumps(name)}: " for name in value]
        items, (opening, closing) = list(value.values()), "{}"
    else:
        leads, items, (opening, closing) = [""] * len(value), value, "[]"
    lines = ",\n".join(
        inner + written(each, width=width, indent=inner, lead=name)
        for name, each in zip(leads, items, strict=True)
    )
    return f"{lead}{opening}\n{lines}\n{indent}{closing}"


def _leaves(value: object, path: str, maps: Collection[str]) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, inner in value.items():
                any_name = f"{path}.*".lstrip(".")
                own = f"{path}.{name}".lstrip(".")
                yield from _leaves(inner, any_name if any_name in maps else own, maps)
        case []:
            yield f"{path}[]", ""
        case list():
            for inner in value:
                yield from _leaves(inner, f"{path}[]", maps)
        case None:
            yield path, "null"
        case _:
            yield path, _TYPES[type(value)]
