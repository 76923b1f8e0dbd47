//! Metrics as Prometheus reads them, and the rules that they keep: those of `promtool check metrics`.

use prometheus_parse::{Sample, Scrape, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Units that must not be in a name: its base unit belongs there.
const DERIVED_UNITS: [&str; 10] = [
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "minutes",
    "hours",
    "ms",
    "us",
    "kilobytes",
    "megabytes",
    "percent",
];

/// One scrape.
pub(crate) struct Exposition {
    pub(crate) text: String,
    scrape: Scrape,
}

impl Exposition {
    /// Reads the text, by the parser of somebody else.
    pub(crate) fn read(text: String) -> Exposition {
        let lines = text.lines().map(|line| Ok(line.to_owned()));
        let scrape = Scrape::parse(lines).unwrap();
        Exposition { text, scrape }
    }

    fn samples<'s>(
        &'s self,
        name: &'s str,
        labels: &'s [(&'s str, &'s str)],
    ) -> impl Iterator<Item = &'s Sample> {
        self.scrape.samples.iter().filter(move |sample| {
            sample.metric == name
                && labels
                    .iter()
                    .all(|(label, value)| sample.labels.get(label) == Some(value))
        })
    }

    /// The sum of all samples of a counter or gauge, or of how often a histogram was told something, that
    /// have these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let count = format!("{name}_count");
        let counted = self.samples(&count, labels);
        self.samples(name, labels)
            .chain(counted)
            .map(|sample| match &sample.value {
                Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => *value,
                // Its `_count` is a sample of its own.
                Value::Histogram(_) | Value::Summary(_) => 0.0,
            })
            .sum()
    }

    /// The values of a label.
    pub(crate) fn values(&self, label: &str) -> BTreeSet<String> {
        let samples = self.scrape.samples.iter();
        let values = samples.filter_map(|sample| sample.labels.get(label));
        values.map(str::to_owned).collect()
    }

    /// How many lines tell of something.
    pub(crate) fn series(&self) -> usize {
        let lines = self.text.lines();
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .count()
    }

    /// Names of the families with their types.
    pub(crate) fn families(&self) -> BTreeMap<&str, &str> {
        let types = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split_once(' ')).collect()
    }

    /// Whether there is such a metric, be it by the name of one of the series of a histogram.
    pub(crate) fn has(&self, name: &str) -> bool {
        let families = self.families();
        let of_histogram = |suffix: &str| {
            let family = name.strip_suffix(suffix);
            family.is_some_and(|family| families.get(family) == Some(&"histogram"))
        };
        families.contains_key(name) || ["_bucket", "_sum", "_count"].into_iter().any(of_histogram)
    }

    /// What breaks the rules.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let helps = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("# HELP "));
        let helps: BTreeMap<_, _> = helps.filter_map(|line| line.split_once(' ')).collect();
        let families = self.families();
        let types = self.text.lines().filter(|line| line.starts_with("# TYPE "));
        if types.count() != families.len() {
            complaints.push("a family is told twice".to_owned());
        }
        for (name, kind) in &families {
            let mut complain = |about: &str| complaints.push(format!("{name} ({kind}): {about}"));
            match helps.get(name) {
                Some(help) if help.ends_with('.') => {}
                other => complain(&format!("its help is {other:?}")),
            }
            if !name.starts_with("airlock_") && !name.starts_with("process_") {
                complain("it belongs to nobody");
            }
            if (*kind == "counter") != name.ends_with("_total") {
                complain("counters, and nothing else, end in _total");
            }
            if ["_count", "_sum", "_bucket"]
                .iter()
                .any(|end| name.ends_with(end))
            {
                complain("its name is that of a series of a histogram");
            }
            if name.split('_').any(|word| DERIVED_UNITS.contains(&word)) {
                complain("it is not in base units");
            }
            let timed = name.contains("duration") || *kind == "histogram";
            if timed && !name.ends_with("_seconds") {
                complain("it tells no unit");
            }
            let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            if !plain {
                complain("its name is not in snake case");
            }
        }
        let mut seen = BTreeSet::new();
        for line in self.text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else {
                complaints.push(format!("{line:?} has no value"));
                continue;
            };
            let family = series.split('{').next().unwrap();
            if !self.has(family) {
                complaints.push(format!("{family} has no type"));
            }
            if !seen.insert(series) {
                complaints.push(format!("{series} is told twice"));
            }
            if !value.parse::<f64>().is_ok_and(|value| value >= 0.0) {
                complaints.push(format!("{line} has a strange value"));
            }
        }
        complaints
    }
}
