//! The Python face of `immuni-core`: conversions at the seam, no logic.
//!
//! Keys and identifiers cross packed, many in one object. Every [`immuni_core::Error`] becomes a
//! `ValueError`.

mod refusal;
mod uint32;

/// The native half of `immuni._core`.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    use immuni_core::{Aemk, Index, Match, Rpik, Tek};
    use pyo3::prelude::*;
    use pyo3::types::PyBytes;

    use crate::refusal::Answer;
    use crate::uint32::{Uint32, plain};

    /// Derive the Rolling Proximity Identifier Key of `tek`.
    #[pyfunction]
    fn derive_rpik<'py>(py: Python<'py>, tek: &[u8]) -> Answer<Bound<'py, PyBytes>> {
        let tek = Tek::try_from(tek)?;
        Ok(PyBytes::new(py, immuni_core::derive_rpik(&tek).as_bytes()))
    }

    /// Derive the Associated Encrypted Metadata Key of `tek`.
    #[pyfunction]
    fn derive_aemk<'py>(py: Python<'py>, tek: &[u8]) -> Answer<Bound<'py, PyBytes>> {
        let tek = Tek::try_from(tek)?;
        Ok(PyBytes::new(py, immuni_core::derive_aemk(&tek).as_bytes()))
    }

    // At most 144 blocks, about a microsecond: to give the GIL away and wait for it costs more.
    /// Return the identifiers of `count` intervals from `first_interval` on, packed.
    #[pyfunction]
    fn derive_rpis<'py>(
        py: Python<'py>,
        rpik: &[u8],
        first_interval: Uint32,
        count: Uint32,
    ) -> Answer<Bound<'py, PyBytes>> {
        let rpik = Rpik::try_from(rpik)?;
        let rpis = immuni_core::derive_rpis(&rpik, first_interval.0, count.0)?;
        Ok(PyBytes::new(py, rpis.as_flattened()))
    }

    /// Encrypt or decrypt the metadata beside `rpi`: the same operation does both.
    #[pyfunction]
    fn encrypt_metadata<'py>(
        py: Python<'py>,
        aemk: &[u8],
        rpi: &[u8],
        metadata: &[u8],
    ) -> Answer<Bound<'py, PyBytes>> {
        let aemk = Aemk::try_from(aemk)?;
        let rpi = immuni_core::exactly("an RPI", rpi)?;
        let metadata = immuni_core::exactly("metadata", metadata)?;
        let encrypted = immuni_core::encrypt_metadata(&aemk, &rpi, metadata);
        Ok(PyBytes::new(py, &encrypted))
    }

    /// Return the interval hidden in `rpi`, or None when `rpik` did not make it.
    #[pyfunction]
    fn decrypt_rpi(rpik: &[u8], rpi: &[u8]) -> Answer<Option<u32>> {
        let rpik = Rpik::try_from(rpik)?;
        let rpi = immuni_core::exactly("an RPI", rpi)?;
        Ok(immuni_core::decrypt_rpi(&rpik, &rpi))
    }

    /// Find the sightings of the keys' identifiers.
    ///
    /// Return (index of the key, index of the sighting, interval of the RPI), in ascending order.
    #[pyfunction]
    fn match_keys(
        py: Python<'_>,
        key_data: &[u8],
        rolling_starts: Vec<Uint32>,
        rolling_periods: Vec<Uint32>,
        rpis: &[u8],
        intervals: Vec<Uint32>,
        tolerance: Uint32,
    ) -> Answer<Vec<(usize, usize, u32)>> {
        let matches = py.detach(|| {
            let (starts, periods) = (plain(rolling_starts), plain(rolling_periods));
            let keys = immuni_core::parse_keys(key_data, &starts, &periods)?;
            let index = Index::new(rpis, &plain(intervals))?;
            Ok(immuni_core::match_keys(&keys, &index, tolerance.0))
        });
        matches.map(|found| found.into_iter().map(as_tuple).collect())
    }

    fn as_tuple(found: Match) -> (usize, usize, u32) {
        (found.key, found.sighting, found.interval)
    }
}
