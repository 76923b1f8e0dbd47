//! How durations are spread, from the buckets of a histogram.

use super::register::SECONDS;
use prometheus::Histogram;
use prometheus::core::Metric as _;
use serde::Serialize;

/// How the durations of one histogram are spread since the start. Percentiles lie between the bounds of
/// a bucket, in proportion, as Prometheus has them; 0 where nothing was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Durations {
    /// How many were measured.
    pub count: u64,
    /// All of them together, in microseconds.
    pub sum_us: u64,
    /// Half of them are at most this, in microseconds.
    pub p50_us: u64,
    /// 99 of 100 are at most this, in microseconds.
    pub p99_us: u64,
    /// How many lie in each bucket, see [`bounds_us`]; the last is what goes beyond all bounds.
    pub buckets: Vec<u64>,
}

/// The upper bounds of the buckets, in microseconds.
#[must_use]
pub fn bounds_us() -> Vec<u64> {
    SECONDS.iter().map(|seconds| micros(*seconds)).collect()
}

impl Durations {
    /// A reading of a histogram.
    #[must_use]
    pub(super) fn of(histogram: &Histogram) -> Durations {
        let metric = histogram.metric();
        let read = metric.get_histogram();
        let count = read.get_sample_count();
        let mut below = 0;
        let mut buckets = Vec::with_capacity(SECONDS.len() + 1);
        for bucket in read.get_bucket() {
            let cumulative = bucket.cumulative_count();
            buckets.push(cumulative.saturating_sub(below));
            below = cumulative;
        }
        buckets.push(count.saturating_sub(below));
        Durations {
            count,
            sum_us: micros(read.get_sample_sum()),
            p50_us: micros(quantile(&buckets, 0.5)),
            p99_us: micros(quantile(&buckets, 0.99)),
            buckets,
        }
    }
}

fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

/// In seconds; the last bound where it lies beyond that.
fn quantile(buckets: &[u64], part: f64) -> f64 {
    let count: u64 = buckets.iter().sum();
    let rank = count as f64 * part;
    let (mut below, mut from) = (0, 0.0);
    for (in_bucket, bound) in buckets.iter().zip(SECONDS) {
        let upto = below + in_bucket;
        if *in_bucket > 0 && upto as f64 >= rank {
            let within = (rank - below as f64) / *in_bucket as f64;
            return from + (bound - from) * within;
        }
        (below, from) = (upto, bound);
    }
    match count {
        0 => 0.0,
        _ => from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::HistogramOpts;

    #[test]
    fn percentiles_lie_in_their_buckets() {
        let options = HistogramOpts::new("a", "b").buckets(SECONDS.to_vec());
        let histogram = Histogram::with_opts(options).unwrap();
        assert_eq!(Durations::of(&histogram).p99_us, 0);
        for at in 0..1_000 {
            histogram.observe(f64::from(at) * 1e-6);
        }
        histogram.observe(100.0);
        let read = Durations::of(&histogram);
        assert_eq!(read.count, 1_001);
        assert_eq!(read.buckets.len(), bounds_us().len() + 1);
        assert_eq!(read.buckets.iter().sum::<u64>(), 1_001);
        assert_eq!(read.buckets.last(), Some(&1));
        assert!((490..=510).contains(&read.p50_us), "{read:?}");
        assert!((980..=1_000).contains(&read.p99_us), "{read:?}");
        assert_eq!(quantile(&[0; 19], 0.5), 0.0);
        let beyond = [[0; 18].as_slice(), &[1]].concat();
        assert_eq!(quantile(&beyond, 0.5), 45.0);
    }
}
