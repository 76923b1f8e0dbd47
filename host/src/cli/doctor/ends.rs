//! Whether a certificate has ended or is about to.

use super::finding::Findings;
use std::time::{Duration, SystemTime};

/// So long before its end somebody should know: long enough for an order that people work on.
const NOTICE: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Says when a certificate ends.
pub(super) fn look(check: &str, what: &str, end: SystemTime, findings: &mut Findings) {
    let day = jiff::Timestamp::try_from(end).map_or_else(
        |_| "a day unknown".into(),
        |end| end.strftime("%Y-%m-%d").to_string(),
    );
    let renew = "have a new one made and put in its place";
    match end.duration_since(SystemTime::now()) {
        Err(_) => findings.failed(check, format!("{what} has ended on {day}"), renew),
        Ok(left) if left < NOTICE => {
            findings.warning(check, format!("{what} ends on {day}"), renew);
        }
        Ok(_) => findings.ok(check, format!("{what} is good until {day}")),
    }
}
