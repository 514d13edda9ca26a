from immuni.portal.language import language_of
from immuni.web.templates import templates_of


def said_in(code: str) -> str:
    templates = templates_of("immuni.portal", language_of(code).catalogue)
    return str(templates.get_template("faults.html").module.code_fault("missing", ())).strip()  # type: ignore[attr-defined]


def test_templates_that_are_compiled_once_still_speak_each_language() -> None:
    assert said_in("en") == "Please enter the code."
    assert said_in("it") == "Inserisca il codice."
    assert said_in("en") == "Please enter the code."
