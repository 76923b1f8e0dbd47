//! Shows in which lines two texts differ.

use similar::TextDiff;

/// Unchanged lines around each change that is shown.
const CONTEXT: usize = 3;

/// Lines that are expected no more, and new ones, with a few around them.
pub(super) fn differences(expected: &str, found: &str) -> String {
    let diff = TextDiff::from_lines(expected, found);
    let mut shown = String::new();
    for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 {
            shown.push_str("  …\n");
        }
        for change in group.iter().flat_map(|part| diff.iter_changes(part)) {
            shown.push_str(&format!("{} {}", change.tag(), change.value()));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_with_lines_around_them() {
        let expected: String = (0..20).map(|line| format!("{line}\n")).collect();
        let found = expected.replace("\n10\n", "\nten\n");
        let shown = differences(&expected, &found);
        assert_eq!(shown, "  7\n  8\n  9\n- 10\n+ ten\n  11\n  12\n  13\n");
        assert_eq!(differences(&found, &found), "");
    }
}
