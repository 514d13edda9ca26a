"""Templates of pages, in one language each.

Beside the package's face: processes without pages need not load the template engine.
"""

from gettext import NullTranslations
from typing import Final

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket


class _CompiledOnce(BytecodeCache):
    """Compiled templates, kept in memory: what they say is looked up when they are rendered.

    So the environments of all languages share them, and a template that was changed is compiled
    anew, because each bucket tells the text that it was made of.
    """

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (compiled := self._compiled.get(bucket.key)) is not None:
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_COMPILED: Final = _CompiledOnce()


def templates_of(package: str, catalogue: NullTranslations) -> Environment:
    """Return the templates of a package; unknown names and unescaped text are refused.

    Args:
        package: Holds ``templates``.
        catalogue: Translates what they say.
    """
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        bytecode_cache=_COMPILED,
    )
    # The extension adds this method to the environment, so its type does not know it.
    install = environment.install_gettext_translations  # type: ignore[attr-defined]
    install(catalogue, newstyle=True)
    return environment
