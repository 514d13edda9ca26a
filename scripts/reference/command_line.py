"""Every command of ``immuni``: how it is called, how it ends, and what it prints for machines."""

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_type_hints

import typer

from immuni.cli import app
from scripts.reference.answers import TOLD
from scripts.reference.job_figures import FIGURES
from scripts.reference.json_shape import shape_of, written
from scripts.reference.markdown import block, code, table
from scripts.reference.told import Answer, Told

_VALUES: Final[Mapping[object, str]] = {
    Path: "PATH",
    Path | None: "PATH",
    list[Path]: "PATH …",
    list[str]: "TEXT …",
    int: "N",
    int | None: "N",
    float | None: "N",
    str: "TEXT",
    str | None: "TEXT",
}
_LONGEST_LIST: Final = 3
_OPTION: Final = re.compile(r"(?<!`)--[a-z-]+")
_HELP: Final = "help"


class UndescribedCommandError(LookupError):
    """A command, or a member of its JSON, is not described, or a description is left over."""


def commands() -> str:
    """Return a section for each command.

    Raises:
        UndescribedCommandError: What is described is not what there is.
    """
    found = dict(_commands(typer.main.get_command(app), ()))
    if differing := found.keys() ^ TOLD.keys():
        raise UndescribedCommandError(f"commands: {sorted(differing)}")
    return "\n\n".join(_section(words, found[words], TOLD[words]) for words in TOLD)


def check_members(answer: Answer, example: object, *, where: str) -> None:
    """Make sure that exactly the members of `example` are described.

    Raises:
        UndescribedCommandError: They are not.
    """
    shape = shape_of(example, maps=answer.members)
    if differing := shape.keys() ^ answer.members.keys():
        raise UndescribedCommandError(f"JSON of {where}: {sorted(differing)}")


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - the library does not name its types
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(words), command
        return
    for name, each in inner.items():
        yield from _commands(each, (*words, name))


def _section(words: str, command: Any, told: Told) -> str:  # noqa: ANN401 - as above
    parameters = [each for each in command.params if each.name != _HELP]
    values = get_type_hints(command.callback)
    usage = " ".join(["immuni", words, *(_usage(each, values) for each in parameters)])
    parts = [f"## `immuni {words}`", *_paragraphs(command.help or ""), told.note]
    parts += [block("text", usage), table(("", "default", "meaning"), _rows(parameters, values))]
    parts += [_example(command.epilog), _exit_codes(told.exit_codes)]
    parts += [_answer(words, answer) for answer in told.answers]
    if words == "jobs run":
        parts.append(_figures())
    return "\n\n".join(part for part in parts if part)


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text, but for the one that a table tells better."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if not paragraph.startswith("JSON:"):
            yield _OPTION.sub(r"`\g<0>`", paragraph.replace("\n", " "))


def _usage(parameter: Any, values: Mapping[str, object]) -> str:  # noqa: ANN401 - as above
    name = _name(parameter, values)
    return name if parameter.required else f"[{name}]"


def _name(parameter: Any, values: Mapping[str, object]) -> str:  # noqa: ANN401 - as above
    if parameter.param_type_name == "argument":
        return _choices(values[parameter.name]) or str(parameter.name).upper()
    option = parameter.opts[0]
    if parameter.is_flag:
        return str(option)
    return f"{option} {parameter.metavar or _VALUES[values[parameter.name]]}"


def _choices(kind: object) -> str:
    """Return the values of an enumeration; nothing for any other type."""
    members: Mapping[str, Any] = getattr(kind, "__members__", {})
    return "|".join(str(each.value) for each in members.values())


def _rows(parameters: list[Any], values: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    for each in parameters:
        default = "required" if each.required else ""
        if each.default not in (None, False) and not each.required:
            default = code(each.default)
        meaning = each.help
        if each.envvar:
            meaning += f" Also {code(each.envvar)} in the environment."
        if each.min is not None:
            meaning += f" {each.min}..{each.max}."
        yield code(_name(each, values)), default, meaning


def _example(epilog: str | None) -> str:
    example = (epilog or "").partition("\n")[0].removeprefix("Example: ")
    return block("console", f"$ {example}") if example else ""


def _exit_codes(codes: Mapping[int, str]) -> str:
    told = "; ".join(f"**{number}** {meaning}" for number, meaning in codes.items())
    return f"Exit codes: {told}." if told else ""


def _answer(words: str, answer: Answer) -> str:
    example = answer.example()
    check_members(answer, example, where=words)
    head = f"{answer.when}, `--json` prints" if answer.when else "`--json` prints"
    if answer.like:
        return f"{head} {answer.like}"
    shape = shape_of(example, maps=answer.members)
    rows = [
        (code(path), " or ".join(sorted(shape[path])), meaning)
        for path, meaning in answer.members.items()
    ]
    shown = _cut(example)
    if shown != example:
        head += ", with more items in the list"
    members = table(("member", "type", "meaning"), rows)
    return "\n\n".join([f"{head}:", block("json", written(shown)), members])


def _cut(value: object) -> object:
    """Return the beginning of a long list: the rest is of the same form."""
    match value:
        case dict():
            return {name: _cut(each) for name, each in value.items()}
        case list() if value and isinstance(value[0], dict) and "step" not in value[0]:
            return [_cut(each) for each in value[:_LONGEST_LIST]]
        case _:
            return value


def _figures() -> str:
    rows = [
        (code(job), code(figure), meaning)
        for job, figures in FIGURES.items()
        for figure, meaning in figures.items()
    ]
    return table(("job", "figure", "meaning"), rows)
