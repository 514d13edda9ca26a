//! Python's numbers on their way to Rust and back.

use pyo3::buffer::{Element, PyUntypedBuffer};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

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

/// A copy of a Python buffer of numbers: `bytes`, a `bytearray`, an `array` of that item size.
///
/// A copy, because Python code may change the original while the interpreter's lock is released.
/// It takes a hundredth of the time of what follows.
pub(crate) struct Column<T>(pub(crate) Vec<T>);

impl<'a, 'py, T: Element> FromPyObject<'a, 'py> for Column<T> {
    type Error = PyErr;

    fn extract(buffer: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let py = buffer.py();
        let buffer = PyUntypedBuffer::get(&buffer)?;
        if buffer.item_count() == 0 {
            // An empty array points to nowhere in particular, aligned or not.
            return Ok(Self(Vec::new()));
        }
        buffer.as_typed()?.to_vec(py).map(Self)
    }
}

/// Bytes of a Python buffer. Those of a `bytes` object, which cannot change, are used where they lie.
pub(crate) enum Octets<'a> {
    Held(&'a [u8]),
    Copied(Column<u8>),
}

impl Octets<'_> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes,
            Self::Copied(column) => &column.0,
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Octets<'a> {
    type Error = PyErr;

    fn extract(buffer: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if buffer.is_instance_of::<PyBytes>() {
            return Ok(Self::Held(buffer.extract()?));
        }
        buffer.extract().map(Self::Copied)
    }
}

/// The bytes of `numbers`, as an `array` of this machine holds them.
pub(crate) fn native_bytes<T: Copy, const N: usize>(
    numbers: Vec<T>,
    bytes: impl Fn(T) -> [u8; N],
) -> Vec<u8> {
    numbers.into_iter().flat_map(bytes).collect()
}
