//! The secrets, as types of their own that neither print nor compare.

use crate::bytes::exactly;
use crate::error::Error;

/// The length of every key and of every identifier, in bytes.
pub const KEY_LENGTH: usize = 16;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        pub struct $name([u8; KEY_LENGTH]);

        impl $name {
            /// The key's bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; KEY_LENGTH] {
                &self.0
            }
        }

        impl From<[u8; KEY_LENGTH]> for $name {
            fn from(bytes: [u8; KEY_LENGTH]) -> Self {
                Self(bytes)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = Error;

            fn try_from(bytes: &[u8]) -> Result<Self, Error> {
                exactly($what, bytes).map(Self)
            }
        }
    };
}

key! {
    /// Temporary Exposure Key: a device's secret for one rolling period.
    Tek, "a TEK"
}

key! {
    /// Rolling Proximity Identifier Key: makes the identifiers of its TEK.
    ///
    /// # Privacy
    ///
    /// Whoever holds it can link every identifier of its TEK.
    Rpik, "an RPIK"
}

key! {
    /// Associated Encrypted Metadata Key: hides the metadata beside the identifiers of its TEK.
    Aemk, "an AEMK"
}

key! {
    /// Daily Tracing Key of the preliminary generation: makes the identifiers of one day.
    DailyTracingKey, "a Daily Tracing Key"
}
