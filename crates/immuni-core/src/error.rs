//! What a caller can get wrong.

use std::fmt;

/// An argument breaks a limit of the protocol; nothing was computed.
///
/// Messages give the limit and the value, never the bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A value has not the length that its kind has.
    Length {
        /// The kind, with its article: "a TEK".
        what: &'static str,
        /// The length of its kind, in bytes.
        expected: usize,
        /// The length that was given, in bytes.
        actual: usize,
    },
    /// A packed batch has not 16 bytes for each of its owners.
    Packed {
        /// The name of the batch.
        what: &'static str,
        /// What it describes, in the plural.
        owners: &'static str,
        /// The number of owners.
        count: usize,
        /// The length that was given, in bytes.
        actual: usize,
    },
    /// A list has not one entry for each key.
    Entries {
        /// The name of the list.
        what: &'static str,
        /// The number of keys.
        expected: usize,
        /// The number of entries that was given.
        actual: usize,
    },
    /// A rolling period is not in 1..=144.
    RollingPeriod(u32),
    /// A rolling period ends after the last interval that 32 bits can number.
    RollingEnd,
    /// More identifiers were asked for than a key generates.
    TooManyIdentifiers(u32),
    /// There are more sightings than 32 bits can number.
    TooManySightings,
    /// A time interval of the preliminary generation is not in 0..144.
    BeyondDay,
    /// An interval does not fit 32 bits.
    IntervalOverflow,
    /// A number does not fit the field of an export file that it names.
    FieldOverflow(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length {
                what,
                expected,
                actual,
            } => write!(f, "{what} has {expected} bytes, got {actual}"),
            Self::Packed {
                what,
                owners,
                count,
                actual,
            } => write!(
                f,
                "{what} must have 16 bytes for each of {count} {owners}, got {actual} bytes"
            ),
            Self::Entries {
                what,
                expected,
                actual,
            } => write!(
                f,
                "{what} must have one entry for each of {expected} keys, got {actual}"
            ),
            Self::RollingPeriod(period) => {
                write!(f, "rolling_period must be in 1..144, got {period}")
            }
            Self::RollingEnd => f.write_str("the end of a rolling period does not fit 32 bits"),
            Self::TooManyIdentifiers(count) => {
                write!(f, "a key generates at most 144 identifiers, not {count}")
            }
            Self::TooManySightings => {
                f.write_str("an index holds no more sightings than 32 bits can number")
            }
            Self::BeyondDay => f.write_str("a day has the time intervals 0..143"),
            Self::IntervalOverflow => f.write_str("the last interval does not fit 32 bits"),
            Self::FieldOverflow(field) => {
                write!(f, "{field} does not fit the 32 bits of its field")
            }
        }
    }
}

impl std::error::Error for Error {}
