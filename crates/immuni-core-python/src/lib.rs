//! The Python face of `immuni-core`: conversions at the seam, no logic.
//!
//! Keys, identifiers and numbers cross packed, many in one object. Every error of the core becomes
//! a `ValueError`.

mod matching;
mod numbers;
mod refusal;

/// The native half of `immuni._core`.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    use immuni_core::{Aemk, DailyTracingKey, KeyColumns, KeyList, Rpik, Tek};
    use pyo3::prelude::*;
    use pyo3::types::PyBytes;

    #[pymodule_export]
    use crate::matching::Index;
    use crate::numbers::{Column, Uint32, native_bytes};
    use crate::refusal::Answer;
    #[pymodule_export]
    use crate::refusal::MalformedMessageError;

    /// The columns of [`KeyColumns`], in their order.
    type PackedColumns<'py> = (
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
    );

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

    /// Return the identifiers of `count` intervals of a preliminary key's day, packed.
    #[pyfunction]
    fn derive_preliminary_rpis<'py>(
        py: Python<'py>,
        daily_tracing_key: &[u8],
        first: Uint32,
        count: Uint32,
    ) -> Answer<Bound<'py, PyBytes>> {
        let key = DailyTracingKey::try_from(daily_tracing_key)?;
        let rpis = immuni_core::derive_preliminary_rpis(&key, first.0, count.0)?;
        Ok(PyBytes::new(py, rpis.as_flattened()))
    }

    /// Read the `TemporaryExposureKeyExport` that begins at `start` of `export_bin`.
    ///
    /// Return the fields beside the keys as a message, the columns of the keys and those of the
    /// revised keys.
    #[pyfunction]
    fn parse_export<'py>(
        py: Python<'py>,
        export_bin: &[u8],
        start: usize,
    ) -> Answer<(Bound<'py, PyBytes>, PackedColumns<'py>, PackedColumns<'py>)> {
        let message = export_bin.get(start..).unwrap_or_default();
        let export = py.detach(|| immuni_core::parse_export(message))?;
        Ok((
            PyBytes::new(py, &export.other),
            packed(py, export.keys),
            packed(py, export.revised_keys),
        ))
    }

    /// Write keys as the records of one list of a `TemporaryExposureKeyExport`, sorted by key data.
    #[pyfunction]
    #[expect(clippy::too_many_arguments, reason = "a column for each field")]
    fn serialise_keys(
        py: Python<'_>,
        key_data: Column<u8>,
        rolling_starts: Column<u32>,
        rolling_periods: Column<u8>,
        transmission_risk_levels: Column<u8>,
        report_types: Column<u8>,
        onsets: Column<i64>,
        revised: bool,
    ) -> Answer<Bound<'_, PyBytes>> {
        let list = if revised {
            KeyList::RevisedKeys
        } else {
            KeyList::Keys
        };
        let keys = KeyColumns {
            key_data: key_data.0,
            rolling_starts: rolling_starts.0,
            rolling_periods: rolling_periods.0,
            transmission_risk_levels: transmission_risk_levels.0,
            report_types: report_types.0,
            onsets: onsets.0,
        };
        let records = py.detach(|| immuni_core::serialise_keys(&keys, list))?;
        Ok(PyBytes::new(py, &records))
    }

    fn packed(py: Python<'_>, columns: KeyColumns) -> PackedColumns<'_> {
        let starts = native_bytes(columns.rolling_starts, u32::to_ne_bytes);
        let onsets = native_bytes(columns.onsets, i64::to_ne_bytes);
        (
            PyBytes::new(py, &columns.key_data),
            PyBytes::new(py, &starts),
            PyBytes::new(py, &columns.rolling_periods),
            PyBytes::new(py, &columns.transmission_risk_levels),
            PyBytes::new(py, &columns.report_types),
            PyBytes::new(py, &onsets),
        )
    }
}
