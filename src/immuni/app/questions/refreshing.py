"""Asks the address in the settings for the newest questions, once a day, for all languages alike.

Every phone asks for every language, so that nobody can tell from a request which one is spoken.
"""

from dataclasses import replace
from datetime import datetime

from immuni.api import MalformedAnswerError, Questions, parse_answer
from immuni.app.questions.shelf import Kept, QuestionShelf
from immuni.app.server import PublicHost, UnexpectedAnswerError
from immuni.app.settings import SettingsInForce
from immuni.app.transport import ServerUnreachableError
from immuni.framework import StoreError
from immuni.texts import LANGUAGES


async def refresh_questions(
    host: PublicHost, shelf: QuestionShelf, settings: SettingsInForce, *, now: datetime
) -> None:
    """Ask for what is due; whatever goes wrong, the questions that are there stay."""
    for language in LANGUAGES:
        address = settings.values.faq_url.get(language)
        if address is None:
            continue
        kept = shelf.kept(language, address)
        if not kept.is_due(now):
            continue
        try:
            shelf.keep(language, address, await _newest(host, address, kept), asked_at=now)
        except (ServerUnreachableError, UnexpectedAnswerError, MalformedAnswerError, StoreError):
            continue


async def _newest(host: PublicHost, address: str, kept: Kept) -> Kept:
    answer = await host.questions(address, tag=kept.tag)
    if answer is None:
        return kept
    questions = parse_answer(Questions, answer.body).faqs
    if not questions:
        raise MalformedAnswerError("no questions")
    return replace(kept, tag=answer.headers.get("etag", ""), questions=questions)
