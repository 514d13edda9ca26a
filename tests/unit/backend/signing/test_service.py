"""The signing service, spoken to over real TLS."""

import json
import ssl
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from immuni.backend.signing import SigningFailedError, SigningKeyError
from immuni.backend.signing.service import ServiceAccess, ServiceSigner
from immuni.clock import SystemClock
from immuni.deployment.certificates import InternalCertificates, ensure_certificates

KEY = ec.generate_private_key(ec.SECP256R1())
SECRET = "marked-token-42"


class SigningService(HTTPServer):
    """A service that signs digests for whoever brings the token, after the statuses to give."""

    statuses: list[int]
    questions: list[dict[str, Any]]
    key: ec.EllipticCurvePrivateKey
    answer: bytes | None


class Handler(BaseHTTPRequestHandler):
    server: SigningService

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.questions.append(question)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if self.headers.get("Authorization") not in (f"Bearer {SECRET}", None):
            status = 403
        algorithm = ec.ECDSA(Prehashed(SHA256()))
        signature = self.server.key.sign(b64decode(question["digest"]), algorithm)
        body = json.dumps({"signature": b64encode(signature).decode()}).encode()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body if self.server.answer is None else self.server.answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def certificates(tmp_path: Path) -> InternalCertificates:
    ensure_certificates(tmp_path, clock=SystemClock())
    return InternalCertificates(tmp_path)


@pytest.fixture
def service(certificates: InternalCertificates) -> Iterator[SigningService]:
    server = SigningService(("127.0.0.1", 0), Handler)
    server.statuses, server.questions, server.key, server.answer = [], [], KEY, None
    # A client that refuses the certificate leaves a fault that is no news here.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server.certificate, certificates.server.key)
    context.load_verify_locations(certificates.trusted)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def signer(
    service: SigningService, certificates: InternalCertificates, tmp_path: Path
) -> ServiceSigner:
    for name, content in (
        ("bearer", SECRET.encode()),
        (
            "ours.pem",
            certificates.client.certificate.read_bytes() + certificates.client.key.read_bytes(),
        ),
    ):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(content)
    access = ServiceAccess(
        url=f"https://127.0.0.1:{service.server_port}/sign",
        ca=certificates.trusted,
        certificate=tmp_path / "ours.pem",
        bearer_file=tmp_path / "bearer",
    )
    return ServiceSigner("222", "v1", KEY.public_key(), access)


def test_the_service_signs_a_digest_and_never_sees_the_data(
    signer: ServiceSigner, service: SigningService
) -> None:
    KEY.public_key().verify(signer.sign(b"data"), b"data", ec.ECDSA(SHA256()))

    (question,) = service.questions
    assert question.keys() == {"key_id", "key_version", "algorithm", "digest"}
    assert len(b64decode(question["digest"])) == 32
    assert SECRET not in repr(signer)


def test_a_service_that_is_busy_is_asked_three_times(
    signer: ServiceSigner, service: SigningService
) -> None:
    service.statuses = [503, 502]
    signer.sign(b"data")
    assert len(service.questions) == 3

    service.statuses = [503, 503, 503]
    with pytest.raises(SigningFailedError, match="503"):
        signer.sign(b"data")
    assert len(service.questions) == 6


def test_a_refusal_is_final(signer: ServiceSigner, service: SigningService) -> None:
    assert signer.access.bearer_file is not None
    signer.access.bearer_file.write_text("wrong")

    with pytest.raises(SigningFailedError, match="403") as refused:
        signer.sign(b"data")
    assert len(service.questions) == 1
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b'{"signature": "?"}', b'{"signature": "AAAA"}', b" " * 5000]
)
def test_an_answer_that_is_no_signature_is_refused(
    signer: ServiceSigner, service: SigningService, answer: bytes
) -> None:
    service.answer = answer

    with pytest.raises(SigningFailedError):
        signer.sign(b"data")


def test_a_signature_by_another_key_is_refused(
    signer: ServiceSigner, service: SigningService
) -> None:
    service.key = ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(SigningFailedError, match="does not verify"):
        signer.sign(b"data")


def test_a_service_of_another_authority_gets_no_question(
    signer: ServiceSigner, service: SigningService, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    ensure_certificates(tmp_path / "other", clock=SystemClock())
    foreign = replace(signer.access, ca=InternalCertificates(tmp_path / "other").trusted)

    with pytest.raises(SigningFailedError, match="ConnectError"):
        replace(signer, access=foreign).sign(b"data")
    assert service.questions == []


def test_a_signer_without_a_certificate_is_not_heard(
    signer: ServiceSigner, service: SigningService
) -> None:
    with pytest.raises(SigningFailedError):
        replace(signer, access=replace(signer.access, certificate=None)).sign(b"data")
    assert service.questions == []


def test_an_access_in_the_clear_or_without_a_name_is_refused(signer: ServiceSigner) -> None:
    with pytest.raises(SigningKeyError, match="https"):
        replace(signer.access, url="http://127.0.0.1/sign")
    with pytest.raises(SigningKeyError, match="bearer"):
        replace(signer.access, certificate=None, bearer_file=None)
