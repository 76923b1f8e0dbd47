//! The requests: built once, with a place for the id that varies.

use crate::database::{self, IDS};
use std::ops::Range;

/// Where the id of a request goes.
const PLACE: &str = "#####";

/// A whole HTTP request.
#[derive(Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    /// Where the five digits of the id are.
    id: Option<Range<usize>>,
}

impl Request {
    /// Reads one user.
    pub(crate) fn select_one(dsn: &str) -> Request {
        let schema =
            format!(r#"{{"columns": ["id", "name", "email"], "where": [["id", "=", {PLACE}]]}}"#);
        Request::new("SelectValuesV2", dsn, "users", &schema)
    }

    /// Reads all of a table of ledger entries.
    pub(crate) fn select_all(dsn: &str, table: &str) -> Request {
        let schema = r#"{"columns": ["id", "label", "amount"]}"#;
        Request::new("SelectValuesV2", dsn, table, schema)
    }

    /// Stores one ledger entry.
    pub(crate) fn insert_one(dsn: &str) -> Request {
        let entry = format!(r#"[{PLACE}, "entry 0010000 of the ledger", 12.34]"#);
        Request::insert(dsn, &entry)
    }

    /// Stores many ledger entries.
    pub(crate) fn insert_many(dsn: &str, rows: u32) -> Request {
        Request::insert(dsn, &database::json_rows(rows))
    }

    fn insert(dsn: &str, rows: &str) -> Request {
        let schema = format!(r#"{{"columns": ["id", "label", "amount"], "values": [{rows}]}}"#);
        Request::new("InsertValuesV2", dsn, "ledger", &schema)
    }

    fn new(command: &str, dsn: &str, table: &str, schema: &str) -> Request {
        let body = format!(
            r#"{{"database_connection_str": "{dsn}", "table_name": "{table}", "schema": {schema}}}"#
        );
        let head = format!(
            "POST /v1/do/postgres_v2/{command} HTTP/1.1\r\n\
             Host: 127.0.0.1\r\n\
             Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let text = [head, body].concat();
        let id = text.find(PLACE).map(|at| at..at + PLACE.len());
        let mut request = Request {
            bytes: text.into_bytes(),
            id,
        };
        request.set_id(IDS.start);
        request
    }

    /// The bytes to send.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Asks for another id, where there is one.
    pub(crate) fn set_id(&mut self, id: u32) {
        let Some(place) = self.id.clone() else { return };
        let mut rest = id;
        for digit in self.bytes[place].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
}
