//! Memory and open files of the server, over time.

use airlock_tests::resident_bytes;
use std::time::Instant;

/// Bytes in a MiB.
const MIB: f64 = (1 << 20) as f64;

/// What one process had.
pub(crate) struct Samples {
    process: u32,
    began: Instant,
    /// Minutes, MiB resident, open files.
    taken: Vec<(f64, f64, usize)>,
}

impl Samples {
    pub(crate) fn of(process: u32) -> Samples {
        Samples {
            process,
            began: Instant::now(),
            taken: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self) {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.process));
        self.taken.push((
            self.began.elapsed().as_secs_f64() / 60.0,
            resident_bytes(self.process).unwrap_or(0) as f64 / MIB,
            files.map_or(0, Iterator::count),
        ));
    }

    pub(crate) fn report(&self) {
        let half = self.taken.len() / 2;
        let (first, second) = self.taken.split_at(half);
        for (name, samples) in [("first", first), ("second", second)] {
            let memory = samples.iter().map(|sample| sample.1);
            let files = samples.iter().map(|sample| sample.2);
            println!(
                "| {name} half: MiB resident, least–most; open files, least–most | {:.1}–{:.1}; {}–{} |",
                memory.clone().fold(f64::MAX, f64::min),
                memory.fold(0.0, f64::max),
                files.clone().min().unwrap_or(0),
                files.max().unwrap_or(0)
            );
        }
        let (slope, error) = slope(second);
        println!(
            "| slope of the second half, MiB an hour, ± two standard errors | {:.1} ± {:.1} |",
            slope * 60.0,
            error * 120.0
        );
    }
}

/// The slope of memory over minutes by least squares, and its standard error.
fn slope(samples: &[(f64, f64, usize)]) -> (f64, f64) {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64, usize)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(&|sample| sample.0), mean(&|sample| sample.1));
    let spread: f64 = samples.iter().map(|sample| (sample.0 - x).powi(2)).sum();
    let along = samples.iter().map(|sample| (sample.0 - x) * (sample.1 - y));
    let slope = along.sum::<f64>() / spread;
    let rest: f64 = samples
        .iter()
        .map(|sample| (sample.1 - y - slope * (sample.0 - x)).powi(2))
        .sum();
    (slope, (rest / (count - 2.0).max(1.0) / spread).sqrt())
}
