"""The pages that one reads; they are open before the onboarding is complete, too."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni import __version__
from immuni.app.pages.screens import Screens
from immuni.app.questions.search import MAX_QUERY_LENGTH, found
from immuni.texts import Document, as_html, title

_DOCUMENTS: Final = {"/privacy": Document.PRIVACY, "/terms": Document.TERMS}


@dataclass(frozen=True, slots=True)
class ReadingPages:
    """How it works, questions and answers, privacy notice, terms of use, about."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/about", self.about),
            Route("/faq", self.questions),
            Route("/how-it-works", self.how_it_works),
            *(Route(path, self.document) for path in _DOCUMENTS),
        ]

    async def how_it_works(self, request: Request) -> Response:
        """Show how it works."""
        return self.screens.show(request, "how_it_works.html")

    async def questions(self, request: Request) -> Response:
        """Show the questions and answers, or those of them that one searches for."""
        query = request.query_params.get("q", "")[:MAX_QUERY_LENGTH].strip()
        language = self.screens.language(request).code
        return self.screens.show(
            request,
            "faq.html",
            query=query,
            max_length=MAX_QUERY_LENGTH,
            questions=found(self.screens.phone.questions(language), query),
        )

    async def document(self, request: Request) -> Response:
        """Show the privacy notice or the terms of use, without asking any server."""
        document = _DOCUMENTS[request.url.path]
        language = self.screens.language(request).code
        settings = self.screens.phone.record.settings.values
        newest = settings.pn_url if document is Document.PRIVACY else settings.tou_url
        return self.screens.show(
            request,
            "document.html",
            title=title(document, language),
            # Our own text, and HTML in it would come out as text.
            document=Markup(as_html(document, language)),  # noqa: S704 - as above
            newest=newest.get(language, ""),
        )

    async def about(self, request: Request) -> Response:
        """Show version, licence, and where the key of the phone's data is kept."""
        phone, language = self.screens.phone, self.screens.language(request)
        return self.screens.show(
            request,
            "about.html",
            version=__version__,
            build=phone.build.number,
            key_place=language.text(phone.status().key_storage),
        )
