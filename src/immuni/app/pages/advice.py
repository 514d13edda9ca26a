"""What to do in each state, and the second questions before a state changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.api import ConfigurationSettings
from immuni.app.pages.answers import go_to
from immuni.app.pages.home import risk_ends_on, state_name
from immuni.app.pages.language import Language
from immuni.app.pages.screens import Screens
from immuni.app.pages.support import contact_of
from immuni.app.pages.words import closeness_text, length_text
from immuni.app.phone import Phone
from immuni.app.record import AppRecord
from immuni.app.state import AtRisk, UserState
from immuni.web.languages import translatable


@dataclass(frozen=True, slots=True)
class _SecondQuestion:
    """A change of state that the user has to confirm."""

    title: str
    text: str
    yes: str
    no: str
    tone: str
    change: Callable[[Phone], None]

    def words(self, language: Language) -> dict[str, str]:
        words = {"title": self.title, "text": self.text, "yes": self.yes, "no": self.no}
        return {name: language.text(text) for name, text in words.items()} | {"tone": self.tone}


_QUESTIONS: Final[Mapping[str, _SecondQuestion]] = {
    "contacted": _SecondQuestion(
        translatable("Has your doctor told you what to do?"),
        translatable(
            "Then the warning goes away. The contact, and what to do after it, stay in your "
            "history."
        ),
        translatable("Yes, remove the warning"),
        translatable("Not yet"),
        "risk",
        Phone.dismiss_warning,
    ),
    "hidden": _SecondQuestion(
        translatable("Hide the warning?"),
        translatable(
            "If you have not called your doctor yet, please do so first. The contact, and what to "
            "do after it, stay in your history."
        ),
        translatable("Hide it"),
        translatable("Keep it"),
        "risk",
        Phone.dismiss_warning,
    ),
    "recovered": _SecondQuestion(
        translatable("Has the health service told you that you have recovered?"),
        translatable("From then on, Immuni warns you of new contacts again."),
        translatable("Yes, I have recovered"),
        translatable("Not yet"),
        "care",
        Phone.recover,
    ),
}


@dataclass(frozen=True, slots=True)
class AdvicePages:
    """Advice, the history of contacts, and changes of state."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/advice", self.advice),
            Route("/history", self.history),
            Route("/state/{change}", self.question),
            Route("/state/{change}", self.confirm, methods=["POST"]),
        ]

    async def advice(self, request: Request) -> Response:
        """Show what to do; whoever is at risk has seen the warning with it.

        Whoever comes from the history reads what to do after a contact, whatever the state is now.
        """
        phone, language = self.screens.phone, self.screens.language(request)
        phone.mark_seen()
        history, settings = phone.record.history, phone.record.settings.values
        looks_back = bool(history) and request.query_params.get("after") == "contact"
        state = AtRisk(history[0].day) if looks_back else phone.status().user
        return self.screens.show(
            request,
            "advice.html",
            state=state_name(state),
            looks_back=looks_back,
            **_days(state, self.screens.phone.record, language),
            own_words=_own_words(settings, state, language),
            support=contact_of(settings),
        )

    async def history(self, request: Request) -> Response:
        """Show the contacts that the user was warned of."""
        language = self.screens.language(request)
        contacts = [
            {
                "day": language.day(each.day),
                "length": length_text(each, language),
                "closeness": closeness_text(each, language),
                "attenuation_db": each.attenuation_db,
            }
            for each in self.screens.phone.record.history
        ]
        return self.screens.show(request, "history.html", contacts=contacts)

    async def question(self, request: Request) -> Response:
        """Ask a second time."""
        question = _QUESTIONS.get(request.path_params["change"])
        if question is None:
            return go_to("/advice")
        words = question.words(self.screens.language(request))
        return self.screens.show(request, "second_question.html", **words)

    async def confirm(self, request: Request) -> Response:
        """Change the state."""
        question = _QUESTIONS.get(request.path_params["change"])
        if question is not None:
            question.change(self.screens.phone)
        return go_to("/")


def _days(state: UserState, record: AppRecord, language: Language) -> dict[str, object]:
    if not isinstance(state, AtRisk):
        return {"contact_day": "", "ends_on": ""}
    day = state.last_contact_day
    return {
        "contact_day": language.day(day),
        "ends_on": language.day(risk_ends_on(day, record)),
    }


def _own_words(settings: ConfigurationSettings, state: UserState, language: Language) -> str | None:
    """Return the advice that the health service has put in place of the App's own."""
    name = state_name(state).replace("-", "_")
    by_state = settings.advice.get(language.code, {})
    return next((words for state_of, words in by_state.items() if state_of == name), None)
