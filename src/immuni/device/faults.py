"""One table from the framework's errors to what is said of them on the socket, and back."""

from collections.abc import Mapping
from typing import Final

from immuni.device.frames import MalformedFrameError
from immuni.device.messages import Fault, FaultKind
from immuni.errors import ImmuniError
from immuni.export import (
    ExportError,
    ExportFieldError,
    MalformedContainerError,
    MalformedExportError,
    MalformedSignatureError,
    OversizeExportError,
    SignatureMismatchError,
)
from immuni.framework import (
    ConsentRefusedError,
    CorruptStoreError,
    DetectionQuotaError,
    RefusedExportError,
    StoreError,
    StoreFullError,
    UntrustedClockError,
    UserNotToldError,
)


class DeviceFaultError(ImmuniError, RuntimeError):
    """The daemon could not do what it was asked, for a reason that has no kind of its own."""


_KINDS: Final[Mapping[FaultKind, type[ImmuniError]]] = {
    FaultKind.MALFORMED: MalformedFrameError,
    FaultKind.QUOTA: DetectionQuotaError,
    FaultKind.UNTRUSTED_CLOCK: UntrustedClockError,
    FaultKind.CONSENT_REFUSED: ConsentRefusedError,
    FaultKind.USER_NOT_TOLD: UserNotToldError,
    FaultKind.STORE_FULL: StoreFullError,
    FaultKind.STORE_DAMAGED: CorruptStoreError,
    FaultKind.STORE: StoreError,
}
_EXPORT_ERRORS: Final[Mapping[str, type[ExportError]]] = {
    leaf.__name__: leaf
    for leaf in (
        ExportFieldError,
        MalformedContainerError,
        MalformedExportError,
        MalformedSignatureError,
        OversizeExportError,
        SignatureMismatchError,
    )
}


def fault_of(error: ImmuniError) -> Fault:
    """Return what is told of an error."""
    if isinstance(error, RefusedExportError):
        return Fault(
            FaultKind.EXPORT_REFUSED,
            str(error.__cause__),
            position=error.position,
            export_error=type(error.__cause__).__name__,
        )
    kinds = (kind for kind, leaf in _KINDS.items() if isinstance(error, leaf))
    return Fault(next(kinds, FaultKind.OTHER), str(error))


def error_of(fault: Fault) -> ImmuniError:
    """Return the error that was told, with the cause that its kind has."""
    if fault.kind is FaultKind.EXPORT_REFUSED:
        cause = _EXPORT_ERRORS.get(fault.export_error or "", ExportError)(fault.message)
        error = RefusedExportError(fault.position or 0, cause)
        error.__cause__ = cause
        return error
    return _KINDS.get(fault.kind, DeviceFaultError)(fault.message)
