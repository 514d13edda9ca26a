"""What can be wrong with a TEK Chunk file. Whatever it is, nothing of the file is used."""

from immuni.errors import ImmuniError


class ExportError(ImmuniError, ValueError):
    """The file was refused as a whole; nothing of it was returned."""


class OversizeExportError(ExportError):
    """The file, or what it unpacks to, exceeds the limit; it was not unpacked."""


class MalformedContainerError(ExportError):
    """The file is not a plain zip of exactly the two entries."""


class MalformedSignatureError(ExportError):
    """``export.sig`` cannot be read; ``export.bin`` was not looked at."""


class SignatureMismatchError(ExportError):
    """No key that is trusted signed ``export.bin``; it was not parsed."""


class MalformedExportError(ExportError):
    """``export.bin`` lacks its header or is not the protobuf that it should be."""


class ExportFieldError(ExportError):
    """A field of ``export.bin`` breaks a rule of the format; the message names field and rule."""


class InvalidVerificationKeyError(ImmuniError, ValueError):
    """A verification key is not a public key on P-256; nothing can be verified with it."""
