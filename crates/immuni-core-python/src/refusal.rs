//! Errors on their way to Python.

use immuni_core::Error;
use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

/// What a function of the module returns.
pub(crate) type Answer<T> = Result<T, Refusal>;

/// An [`Error`] that Python sees as a `ValueError` with the same message.
pub(crate) struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Refusal> for PyErr {
    fn from(refusal: Refusal) -> Self {
        PyValueError::new_err(refusal.0.to_string())
    }
}
