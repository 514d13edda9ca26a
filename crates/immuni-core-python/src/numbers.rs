//! Python's numbers on their way to Rust and back.

use std::ffi::CStr;

use pyo3::buffer::{Element, ElementType, PyUntypedBuffer};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
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

/// Numbers that a column may hold.
pub(crate) trait Number: Element {
    /// As `NumPy` calls them.
    const NAME: &'static str;
}

impl Number for u8 {
    const NAME: &'static str = "uint8";
}

impl Number for u32 {
    const NAME: &'static str = "uint32";
}

impl Number for i64 {
    const NAME: &'static str = "int64";
}

/// A copy of a Python buffer of numbers: `bytes`, a `bytearray`, an `array`, an array of `NumPy`'s, in
/// one dimension and with gaps or without.
///
/// A copy, because Python code may change the original while the interpreter's lock is released.
/// It takes a hundredth of the time of what follows.
pub(crate) struct Column<T>(pub(crate) Vec<T>);

impl<'a, 'py, T: Number> FromPyObject<'a, 'py> for Column<T> {
    type Error = PyErr;

    fn extract(buffer: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        copied(&buffer, "(n,)", |shape| shape.len() == 1).map(Self)
    }
}

/// Bytes of a Python buffer. Those of a `bytes` object, which cannot change, are used where they lie.
pub(crate) enum Octets<'a> {
    Held(&'a [u8]),
    Copied(Vec<u8>),
}

impl<'a> Octets<'a> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Held(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }

    fn of(
        buffer: Borrowed<'a, '_, PyAny>,
        wanted: &str,
        fits: impl FnOnce(&[usize]) -> bool,
    ) -> PyResult<Self> {
        if buffer.is_instance_of::<PyBytes>() {
            return Ok(Self::Held(buffer.extract()?));
        }
        copied(&buffer, wanted, fits).map(Self::Copied)
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Octets<'a> {
    type Error = PyErr;

    fn extract(buffer: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Self::of(buffer, "(n,)", |shape| shape.len() == 1)
    }
}

/// Keys or identifiers: 16 bytes each, in one dimension or two.
pub(crate) struct Blocks<'a>(Octets<'a>);

impl Blocks<'_> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Blocks<'a> {
    type Error = PyErr;

    fn extract(buffer: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        // Columns of 16 would pass as rows by their size alone.
        Octets::of(buffer, "(n, 16) or (16 n,)", |shape| {
            matches!(shape, [_] | [_, 16])
        })
        .map(Self)
    }
}

/// Copies the numbers of a buffer, row by row.
fn copied<T: Number>(
    object: &Bound<'_, PyAny>,
    wanted: &str,
    fits: impl FnOnce(&[usize]) -> bool,
) -> PyResult<Vec<T>> {
    let py = object.py();
    let buffer = PyUntypedBuffer::get(object)?;
    let shape = buffer.shape();
    let refusal = || {
        let (kind, shape) = (kind_of(buffer.format()), written(shape));
        PyTypeError::new_err(format!(
            "wants {} in shape {wanted}, got {kind} in shape {shape}",
            T::NAME
        ))
    };
    // PyO3 takes the other byte order for this machine's, and would read other numbers.
    if !fits(shape) || !T::is_compatible_format(native(buffer.format())) {
        return Err(refusal());
    }
    if buffer.item_count() == 0 {
        // An empty array points to nowhere in particular, aligned or not.
        return Ok(Vec::new());
    }
    let numbers = buffer.as_typed().map_err(|_| refusal())?;
    numbers.to_vec(py)
}

/// The format where it has this machine's byte order and alignment; else one that fits nothing.
fn native(format: &CStr) -> &CStr {
    if matches!(format.to_bytes(), [_]) {
        format
    } else {
        c""
    }
}

/// What `NumPy` calls the items of a buffer.
fn kind_of(format: &CStr) -> String {
    let order = match format.to_bytes() {
        [b'>' | b'!', ..] => "big-endian ",
        [b'<', ..] => "little-endian ",
        _ => "",
    };
    let (name, bytes) = match ElementType::from_format(format) {
        ElementType::SignedInteger { bytes } => ("int", bytes),
        ElementType::UnsignedInteger { bytes } => ("uint", bytes),
        ElementType::Float { bytes } => ("float", bytes),
        ElementType::Bool => return "bool".to_owned(),
        ElementType::Unknown => return format!("items of format {:?}", format.to_string_lossy()),
    };
    format!("{order}{name}{}", bytes.saturating_mul(8))
}

/// A shape as Python writes it.
fn written(shape: &[usize]) -> String {
    if let [length] = shape {
        return format!("({length},)");
    }
    let lengths: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("({})", lengths.join(", "))
}

/// The bytes of `numbers`, as an `array` of this machine holds them.
pub(crate) fn native_bytes<T: Copy, const N: usize>(
    numbers: Vec<T>,
    bytes: impl Fn(T) -> [u8; N],
) -> Vec<u8> {
    numbers.into_iter().flat_map(bytes).collect()
}
