//! Python integers on their way to 32 bits.

use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;

/// A Python integer that fits 32 bits unsigned.
///
/// Converting to `u32` alone would raise `OverflowError`, which is no `ValueError`.
#[derive(Clone, Copy)]
pub(crate) struct Uint32(pub(crate) u32);

impl<'a, 'py> FromPyObject<'a, 'py> for Uint32 {
    type Error = PyErr;

    fn extract(number: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        number.extract().map(Self).map_err(|error: PyErr| {
            if error.is_instance_of::<PyOverflowError>(number.py()) {
                PyValueError::new_err("a number must fit 32 bits unsigned")
            } else {
                error
            }
        })
    }
}

/// The numbers without their wrapper.
pub(crate) fn plain(numbers: Vec<Uint32>) -> Vec<u32> {
    numbers.into_iter().map(|number| number.0).collect()
}
