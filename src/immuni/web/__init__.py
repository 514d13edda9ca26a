"""The HTTP shell that all services share.

A service is a table of endpoints; from it come the routes, the checks that do not depend on what a
request means, and the OpenAPI document.
"""

from immuni.web.application import Application, build_app
from immuni.web.bodies import BodyLimits, read_body
from immuni.web.conditional import Content, entity_tag, serve
from immuni.web.dated import Dated
from immuni.web.endpoints import (
    Answering,
    BodyReader,
    Contract,
    Endpoint,
    ErrorAnswer,
    Layer,
    Method,
    Service,
)
from immuni.web.errors import (
    BodyTimeoutError,
    BodyTooLargeError,
    ContentTypeError,
    HeaderError,
    OverloadedError,
    PathError,
    QueryError,
    RangeError,
    RetryLaterError,
    ShellError,
)
from immuni.web.messages import NO_STORE, Call, Headers, Reply, send_reply
from immuni.web.observing import ENDPOINT_KEY, HttpMetrics, metrics_app
from immuni.web.one_write import OneWriteHttpProtocol
from immuni.web.openapi import openapi_document
from immuni.web.overload import OverloadLimiter, OverloadMetrics
from immuni.web.parameters import Parameter, Place
from immuni.web.renewing_tls import MutualTls, RenewingContext
from immuni.web.reply_headers import (
    ACCEPT_RANGES,
    CONTENT_RANGE,
    ETAG,
    WHOLE_LENGTH,
    ReplyHeader,
)
from immuni.web.sources import (
    NO_PROXIES,
    Forwarded,
    ProxySettings,
    TrustedProxies,
    source_of,
    subscriber_of,
)

__all__ = [
    "ACCEPT_RANGES",
    "CONTENT_RANGE",
    "ENDPOINT_KEY",
    "ETAG",
    "NO_PROXIES",
    "NO_STORE",
    "WHOLE_LENGTH",
    "Answering",
    "Application",
    "BodyLimits",
    "BodyReader",
    "BodyTimeoutError",
    "BodyTooLargeError",
    "Call",
    "Content",
    "ContentTypeError",
    "Contract",
    "Dated",
    "Endpoint",
    "ErrorAnswer",
    "Forwarded",
    "HeaderError",
    "Headers",
    "HttpMetrics",
    "Layer",
    "Method",
    "MutualTls",
    "OneWriteHttpProtocol",
    "OverloadLimiter",
    "OverloadMetrics",
    "OverloadedError",
    "Parameter",
    "PathError",
    "Place",
    "ProxySettings",
    "QueryError",
    "RangeError",
    "RenewingContext",
    "Reply",
    "ReplyHeader",
    "RetryLaterError",
    "Service",
    "ShellError",
    "TrustedProxies",
    "build_app",
    "entity_tag",
    "metrics_app",
    "openapi_document",
    "read_body",
    "send_reply",
    "serve",
    "source_of",
    "subscriber_of",
]
