//! Figures, tables, and where they are written.

use crate::setup::Pair;
use std::fmt::{self, Display};
use std::fs;
use std::path::Path;

/// Around the tables in the documentation.
const MARKS: [&str; 2] = ["<!-- load:begin -->", "<!-- load:end -->"];

/// One value for each round.
#[derive(Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        median(&self.0)
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Series {
        Series(values.into_iter().collect())
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() % 2 {
        0 => (sorted[half - 1] + sorted[half]) / 2.0,
        _ => sorted[half],
    }
}

/// Airlock's values over the baseline's, round by round: median, least and most.
pub(crate) fn ratio(pair: &Pair<Series>) -> String {
    let ratios = pair.airlock.0.iter().zip(&pair.baseline.0);
    let ratios: Vec<f64> = ratios
        .map(|(airlock, baseline)| airlock / baseline)
        .collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.2} ({least:.2}–{most:.2})", median(&ratios))
}

/// A measured value: three digits that count.
pub(crate) fn figure(value: f64) -> String {
    match value {
        _ if value.is_nan() => "–".into(),
        _ if value < 9.995 => format!("{value:.2}"),
        _ if value < 99.95 => format!("{value:.1}"),
        _ => count(value.round() as u64),
    }
}

/// A whole number, thousands set apart.
pub(crate) fn count(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", count(number / 1_000), number % 1_000),
    }
}

/// A table that is printed while it grows.
pub(crate) struct Table {
    title: &'static str,
    units: &'static str,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table; prints its head.
    pub(crate) fn new(title: &'static str, units: &'static str, head: &[&str]) -> Table {
        let table = Table {
            title,
            units,
            head: head.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
        };
        println!("\n{table}");
        table
    }

    /// Adds a row and prints it.
    pub(crate) fn print_row(&mut self, row: Vec<String>) {
        assert_eq!(row.len(), self.head.len(), "a row of another table");
        println!("{}", line(&row));
        self.rows.push(row);
    }
}

/// As Markdown.
impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "**{}.** {}\n\n{}\n",
            self.title,
            self.units,
            line(&self.head)
        )?;
        let rule: Vec<_> = self.head.iter().map(|_| "---".to_owned()).collect();
        write!(f, "{}", line(&rule))?;
        self.rows
            .iter()
            .try_for_each(|row| write!(f, "\n{}", line(row)))
    }
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// Writes the tables into results.md beside the benchmark, and between the marks in the documentation.
pub(crate) fn write(conditions: &str, tables: &[Table]) {
    let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let text = format!("{conditions}\n\n{}\n", tables.join("\n\n"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let results = format!("# Results of the load benchmark\n\n{text}");
    fs::write(workspace.join("tests/benches/results.md"), results).unwrap();
    let page = workspace.join("host/docs/src/performance.md");
    let old = fs::read_to_string(&page).unwrap();
    let [begin, end] = MARKS;
    let (before, rest) = old.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    fs::write(page, format!("{before}{begin}\n{text}{end}{after}")).unwrap();
}
