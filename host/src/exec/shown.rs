//! Shows in `pg_stat_activity` which request a session works on, as its `application_name`.
//!
//! The text of a statement that is prepared stays the same from call to call, so the id cannot stand in
//! there. A setting goes along with BEGIN in one message, or in front of a lone statement: no round trip.
//! Sessions that got a name with their connection string keep it.

/// The name of sessions whose connection string gives them none.
pub(super) const APPLICATION: &str = "airlock";

/// Longest name in bytes: the server cuts off what goes beyond it.
const MAX_BYTES: usize = 63;

/// What a session shows.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The name is ours.
    is_allowed: bool,
    /// It names a request beyond the end of a transaction.
    is_set: bool,
}

impl Shown {
    /// From here on the session may show requests, or not.
    pub(super) fn allow(&mut self, is_allowed: bool) {
        self.is_allowed = is_allowed;
    }

    /// The name that stands for a request; none where the session keeps its own.
    pub(super) fn name(&self, request_id: Option<&str>) -> Option<String> {
        request_id.filter(|_| self.is_allowed).map(name)
    }

    /// What must precede a statement that runs by itself, so that the session shows the request, or none.
    pub(super) fn alone(&self, request_id: Option<&str>) -> Option<String> {
        match self.name(request_id) {
            Some(name) => Some(format!("{SETTING} TO '{name}'")),
            None => self.transaction(),
        }
    }

    /// What must precede a transaction, so that no request is shown behind it that was there before.
    pub(super) fn transaction(&self) -> Option<String> {
        self.is_set.then(|| RESET.to_owned())
    }

    /// What was decided is sent.
    pub(super) fn sent(&mut self, statement: &str) {
        self.is_set = statement != RESET;
    }

    /// The session was reset.
    pub(super) fn reset(&mut self) {
        self.is_set = false;
    }
}

const SETTING: &str = "SET application_name";
const RESET: &str = "RESET application_name";

/// The name of a session that works on a request. Ids come from callers, so only what means nothing in
/// SQL is taken over of them, whatever the settings of the server are; the rest becomes `_`.
fn name(request_id: &str) -> String {
    let plain = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte),
        b'-' | b'.' | b':' | b'/' | b'=' | b'+' | b'@' | b'#' => char::from(byte),
        _ => '_',
    };
    let room = MAX_BYTES - APPLICATION.len() - 1;
    let id = request_id.bytes().take(room).map(plain);
    [APPLICATION, " "]
        .iter()
        .flat_map(|text| text.chars())
        .chain(id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_get_out_of_no_literal() {
        for (id, expected) in [
            ("0af7651916cd43dd", "airlock 0af7651916cd43dd"),
            ("a-b.c:d/e=f+g@h#i", "airlock a-b.c:d/e=f+g@h#i"),
            ("';DROP", "airlock __DROP"),
            ("\\'--*/", "airlock __--_/"),
            ("$$é\u{0}\n", "airlock ______"),
        ] {
            assert_eq!(name(id), expected);
        }
        let long = "x".repeat(128);
        assert_eq!(name(&long).len(), MAX_BYTES);
    }

    #[test]
    fn no_request_is_shown_behind_another() {
        let mut shown = Shown::default();
        assert_eq!(shown.alone(Some("a")), None);
        shown.allow(true);
        let set = shown.alone(Some("a")).unwrap();
        assert_eq!(set, "SET application_name TO 'airlock a'");
        assert_eq!(shown.transaction(), None);
        shown.sent(&set);
        for next in [shown.alone(None), shown.transaction()] {
            assert_eq!(next.as_deref(), Some("RESET application_name"));
        }
        shown.sent("RESET application_name");
        assert_eq!(shown.alone(None), None);
    }
}
