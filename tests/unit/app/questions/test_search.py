import pytest

from immuni.app.questions.search import MAX_QUERY_LENGTH, found
from immuni.texts import questions

WHERE = "Does Immuni know where I am?"
BATTERY = "Does it use up my battery?"
CODE = "What is the code that I read to the operator?"


def titles(query: str, language: str = "en") -> list[str]:
    return [each.title for each in found(questions(language), query)]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("battery", BATTERY),
        ("BATTERY", BATTERY),
        ("batery", BATTERY),
        ("battrey", BATTERY),
        ("batte", BATTERY),
        ("where am I", WHERE),
        ("wehre am I", WHERE),
        ("operator code", CODE),
        ("oprator cood", CODE),
        ("pause", "Can I pause it?"),
    ],
)
def test_the_question_that_is_meant_comes_first_with_and_without_slips(
    query: str, title: str
) -> None:
    assert titles(query)[0] == title


def test_accents_and_case_do_not_matter() -> None:
    assert titles("guérison", "fr")[0].startswith("Ma guérison est confirmée.")
    assert titles("GUERISON", "fr") == titles("guérison", "fr") == titles("guerison", "fr")


def test_nothing_that_is_like_no_word_is_found() -> None:
    assert titles("zebra xylophone") == []


def test_an_empty_query_means_all_in_order_of_importance() -> None:
    assert found(questions("en"), "  ") == list(questions("en"))


def test_a_word_that_is_nowhere_does_not_hide_what_the_others_find() -> None:
    assert titles("battery xylophone")[0] == BATTERY


def test_a_long_query_is_cut() -> None:
    assert titles("battery " + "x" * 10_000)[0] == titles("battery " + "x" * MAX_QUERY_LENGTH)[0]
