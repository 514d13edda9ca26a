//! An index of sightings, as Python holds it.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use immuni_core::{DailyTracingKeys, DiagnosisKeys, Match, Search, Stopped};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::numbers::{Blocks, Column, Octets, Uint32, native_bytes};
use crate::refusal::{Answer, Refusal};

/// Places of key and sighting, 64 bits each, and the interval of each identifier, 32 bits.
type Found<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

/// A phone's sightings, found by identifier.
#[pyclass(module = "immuni._core._native")]
pub(crate) struct Index(immuni_core::Index);

#[pymethods]
#[expect(
    clippy::needless_pass_by_value,
    reason = "arguments are converted, and belong to the function then"
)]
impl Index {
    /// Index sightings: packed identifiers, which may repeat, and the interval of each.
    #[new]
    fn new(
        py: Python<'_>,
        rpis: Blocks<'_>,
        intervals: Column<u32>,
        tolerance: Uint32,
    ) -> Answer<Self> {
        let made = || immuni_core::Index::new(rpis.as_slice(), &intervals.0, tolerance.0);
        Ok(Self(py.detach(made)?))
    }

    /// Add further sightings, whose places follow those that are there.
    fn append(&mut self, py: Python<'_>, rpis: Blocks<'_>, intervals: Column<u32>) -> Answer<()> {
        py.detach(|| self.0.append(rpis.as_slice(), &intervals.0))?;
        Ok(())
    }

    /// Forget the sightings of before `interval`; the places of the others stay theirs.
    fn forget_before(&mut self, py: Python<'_>, interval: Uint32) {
        py.detach(|| self.0.forget_before(interval.0));
    }

    /// Return the number of sightings.
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Return the memory that the sightings take, in bytes.
    fn size(&self) -> usize {
        self.0.size()
    }

    /// Find the sightings of the keys' identifiers.
    ///
    /// Return three columns: index of the key, index of the sighting (64 bits each), interval of
    /// the RPI (32 bits), in ascending order.
    #[pyo3(signature = (key_data, rolling_starts, rolling_periods, threads=Uint32(1), progress=None))]
    fn match_keys<'py>(
        &self,
        py: Python<'py>,
        key_data: Blocks<'_>,
        rolling_starts: Column<u32>,
        rolling_periods: Octets<'_>,
        threads: Uint32,
        progress: Option<Py<PyAny>>,
    ) -> Answer<Found<'py>> {
        let (starts, periods) = (&rolling_starts.0, rolling_periods.as_slice());
        let keys = DiagnosisKeys::new(key_data.as_slice(), starts, periods)?;
        let found = self.search(py, threads, progress.as_ref(), |search| {
            search.matches(&keys)
        })?;
        Ok(columns(py, &found))
    }

    /// Return the indices of the keys of which a sighting is found, 64 bits each, ascending.
    #[pyo3(signature = (key_data, rolling_starts, rolling_periods, threads=Uint32(1), progress=None))]
    fn matched_keys<'py>(
        &self,
        py: Python<'py>,
        key_data: Blocks<'_>,
        rolling_starts: Column<u32>,
        rolling_periods: Octets<'_>,
        threads: Uint32,
        progress: Option<Py<PyAny>>,
    ) -> Answer<Bound<'py, PyBytes>> {
        let (starts, periods) = (&rolling_starts.0, rolling_periods.as_slice());
        let keys = DiagnosisKeys::new(key_data.as_slice(), starts, periods)?;
        let found = self.search(py, threads, progress.as_ref(), |search| search.keys(&keys))?;
        Ok(PyBytes::new(py, &native_bytes(found, place)))
    }

    /// Find the sightings of the identifiers of keys of the preliminary generation.
    ///
    /// Return columns as `match_keys` does.
    #[pyo3(signature = (key_data, day_numbers, threads=Uint32(1), progress=None))]
    fn match_preliminary_keys<'py>(
        &self,
        py: Python<'py>,
        key_data: Blocks<'_>,
        day_numbers: Column<u32>,
        threads: Uint32,
        progress: Option<Py<PyAny>>,
    ) -> Answer<Found<'py>> {
        let keys = DailyTracingKeys::new(key_data.as_slice(), &day_numbers.0)?;
        let found = self.search(py, threads, progress.as_ref(), |search| {
            search.matches(&keys)
        })?;
        Ok(columns(py, &found))
    }
}

impl Index {
    /// Searches without the interpreter's lock; whoever waits can interrupt, and is told how many
    /// keys are done.
    fn search<T: Send>(
        &self,
        py: Python<'_>,
        threads: Uint32,
        progress: Option<&Py<PyAny>>,
        run: impl FnOnce(Search<'_>) -> Result<T, Stopped> + Send,
    ) -> Answer<T> {
        let threads = usize::try_from(threads.0).ok().and_then(NonZeroUsize::new);
        let threads = threads.ok_or_else(|| PyValueError::new_err("threads must be at least 1"))?;
        py.detach(|| {
            let raised = Cell::new(None);
            let watch = |done| match Python::attach(|py| tell(py, progress, done)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    raised.set(Some(error));
                    ControlFlow::Break(())
                }
            };
            run(Search::new(&self.0).in_threads(threads).watched_by(&watch)).map_err(|Stopped| {
                let raised = raised.take();
                Refusal::Raised(raised.unwrap_or_else(|| PyKeyboardInterrupt::new_err(())))
            })
        })
    }
}

/// Lets Python look after its signals, and tells `progress`.
fn tell(py: Python<'_>, progress: Option<&Py<PyAny>>, done: usize) -> PyResult<()> {
    py.check_signals()?;
    progress.map_or(Ok(()), |progress| progress.call1(py, (done,)).map(drop))
}

fn columns<'py>(py: Python<'py>, found: &[Match]) -> Found<'py> {
    let keys = found.iter().map(|one| one.key).collect();
    let sightings = found.iter().map(|one| one.sighting).collect();
    let intervals = found.iter().map(|one| one.interval).collect();
    (
        PyBytes::new(py, &native_bytes(keys, place)),
        PyBytes::new(py, &native_bytes(sightings, place)),
        PyBytes::new(py, &native_bytes(intervals, u32::to_ne_bytes)),
    )
}

fn place(place: usize) -> [u8; 8] {
    u64::try_from(place).unwrap_or(u64::MAX).to_ne_bytes()
}
