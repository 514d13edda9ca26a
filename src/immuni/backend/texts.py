"""Questions and answers, privacy notice and terms over HTTP, for the addresses in the settings."""

import hashlib
from base64 import b64encode
from functools import cache
from html import escape
from http import HTTPStatus
from typing import Final

from immuni.api import Questions, encode, examples
from immuni.texts import LANGUAGES, Document, as_html, questions, title
from immuni.web import (
    ETAG,
    Call,
    Content,
    Endpoint,
    Method,
    Parameter,
    Place,
    Reply,
    ReplyHeader,
    Service,
    entity_tag,
    serve,
)

HTML: Final = "text/html; charset=utf-8"
_CACHED: Final = "public, max-age=86400"

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{max-width:38rem;margin:auto;padding:1.5rem;font:1.125rem/1.6 system-ui,sans-serif}"
    "h1,h2{line-height:1.25}h2{margin-top:2em;font-size:1.25rem}li{margin:.4em 0}"
)
_STYLE_HASH: Final = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
_POLICY: Final = ReplyHeader(
    name="Content-Security-Policy",
    description="The page loads nothing, runs nothing, and has the one style that is in it.",
    pattern=r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; frame-ancestors 'none'",
    example=f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'",
    statuses=ETAG.statuses,
)
_LANGUAGE: Final = Parameter(
    name="language",
    place=Place.PATH,
    description="Two letters of ISO 639-1.",
    options=LANGUAGES,
)
_DOCUMENT: Final = Parameter(
    name="document",
    place=Place.PATH,
    description="Which text.",
    options=tuple(Document),
)


def texts_service() -> Service:
    """Build the service; it needs nothing but the texts that the distribution carries."""

    async def faq(call: Call[None]) -> Reply:
        return serve(call, _faq(call.path["language"]))

    async def document(call: Call[None]) -> Reply:
        return serve(call, _page(Document(call.path["document"]), call.path["language"]))

    return Service(
        name="texts",
        title="Texts",
        endpoints=[
            Endpoint(
                method=Method.GET,
                path="/v1/texts/faq/{language}",
                summary="Fetch the questions and answers",
                handler=faq,
                replies={HTTPStatus.OK: Questions, HTTPStatus.NOT_MODIFIED: None},
                reply_examples={HTTPStatus.OK: examples.QUESTIONS},
                parameters=(_LANGUAGE,),
                says=(ETAG,),
                cache_control=_CACHED,
            ),
            Endpoint(
                method=Method.GET,
                path="/v1/texts/{document}/{language}",
                summary="Read the privacy notice or the terms of use",
                handler=document,
                replies={HTTPStatus.OK: HTML, HTTPStatus.NOT_MODIFIED: None},
                parameters=(_DOCUMENT, _LANGUAGE),
                says=(ETAG, _POLICY),
                cache_control=_CACHED,
            ),
        ],
    )


@cache
def _faq(language: str) -> Content:
    body = encode(Questions(faqs=questions(language)))
    return Content(body=body, etag=entity_tag(hashlib.sha256(body).digest()))


@cache
def _page(document: Document, language: str) -> Content:
    body = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title(document, language))} · Immuni</title><style>{_STYLE}</style></head>"
        f"<body><main>{as_html(document, language)}</main></body></html>"
    ).encode()
    return Content(
        body=body,
        etag=entity_tag(hashlib.sha256(body).digest()),
        content_type=HTML,
        headers={_POLICY.name: _POLICY.example},
    )
