//! Errors on their way to Python.

use immuni_core::{Error, MessageError};
use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

pyo3::create_exception!(
    _native,
    MalformedMessageError,
    PyValueError,
    "Bytes are not the protobuf that they should be; nothing was read."
);

/// What a function of the module returns.
pub(crate) type Answer<T> = Result<T, Refusal>;

/// An error of the core, which Python sees as a `ValueError` with the same message, or of Python.
pub(crate) enum Refusal {
    /// An argument breaks a limit.
    Argument(Error),
    /// A message cannot be read.
    Message(MessageError),
    /// Python code that was called raised it.
    Raised(PyErr),
}

impl From<PyErr> for Refusal {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Argument(error)
    }
}

impl From<MessageError> for Refusal {
    fn from(error: MessageError) -> Self {
        Self::Message(error)
    }
}

impl From<Refusal> for PyErr {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Raised(error) => error,
            Refusal::Argument(error) => PyValueError::new_err(error.to_string()),
            Refusal::Message(MessageError::Field(rule)) => PyValueError::new_err(rule),
            Refusal::Message(MessageError::Malformed(rule)) => MalformedMessageError::new_err(rule),
        }
    }
}
