//! What a server has, and where its stream goes wrong.

use arbitrary::{Result, Unstructured};
use serde_json::{Value, json};

/// Most messages that the server sends until a client is logged in, counted from 0.
const LOGIN_MESSAGES: u8 = 3;

/// Most edits of one stream.
const EDITS: usize = 4;

/// Most messages in front of which an edit can be.
const MESSAGES: u8 = 63;

/// Most columns and rows that the input spells one by one.
const SMALL: usize = 5;

/// How often a long result repeats its rows: it goes out in chunks.
const MANY: usize = 1_000;

/// Types of columns, each with a value of it in binary form: int4, text, numeric, timestamptz, bytea,
/// text[], jsonb, float8, interval, inet, point, int4range, bool, uuid; then record and a type that
/// nobody knows, whose values the server has to render.
const TYPES: &[(u32, &[u8])] = &[
    (23, b"\0\0\0\x05"),
    (25, b"x\"y"),
    (1700, b"\0\x01\0\0\0\0\0\x01\0\x07"),
    (1184, b"\0\0\0\0\0\0\0\x01"),
    (17, b"\xff\0"),
    (
        1009,
        b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x01\0\0\0\x01\0\0\0\x01x",
    ),
    (3802, b"\x01{}"),
    (701, b"\x3f\xf8\0\0\0\0\0\0"),
    (1186, b"\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03"),
    (869, b"\x02\x20\0\x04\x7f\0\0\x01"),
    (600, b"\x3f\xf8\0\0\0\0\0\0\x3f\xf8\0\0\0\0\0\0"),
    (3904, b"\x02\0\0\0\x04\0\0\0\x01\0\0\0\x04\0\0\0\x05"),
    (16, b"\x01"),
    (2950, b"0123456789abcdef"),
    (2249, b"\0\0\0\x01\0\0\0\x17\0\0\0\x04\0\0\0\x05"),
    (16_400, b"x"),
];

/// Types that the host renders by itself come before this one.
const RENDERED: usize = 14;

/// How a server answers.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// Which call it is asked.
    call: u8,
    /// What it answers where it is asked for TLS; none where it is not asked.
    pub(super) tls: Option<u8>,
    pub(super) login: Login,
    /// Whether it lets the host COPY.
    pub(super) takes_copy: bool,
    /// Type of each column of its rows.
    pub(super) types: Vec<u32>,
    pub(super) rows: Vec<Vec<Option<Vec<u8>>>>,
    /// How often it has these rows.
    pub(super) times: usize,
    /// The rows are what the host can render.
    is_plain: bool,
    pub(super) edits: Vec<(u8, Edit)>,
}

/// How it lets the host in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    Trust,
    Password,
    Md5,
    /// With these messages of its own.
    Scram(Vec<u8>, Vec<u8>),
}

/// What becomes of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edit {
    /// Left out.
    Drop,
    /// Sent twice.
    Repeat,
    /// One byte of it is another.
    Byte(u16, u8),
    /// Only so many bytes are sent, then nothing more ever.
    Cut(u8),
    /// These bytes come before it.
    Bytes(Vec<u8>),
    /// An error comes before it, which may end the connection.
    Error(bool),
    /// A notice and a notification come before it.
    Notice,
    /// A setting is reported before it.
    Status(String, String),
    /// The connection ends before it.
    Close,
    /// Nothing comes from here on.
    Silence,
}

impl Script {
    pub(super) fn read(input: &[u8]) -> Result<Script> {
        let mut input = Unstructured::new(input);
        let call = input.arbitrary()?;
        let tls = input.ratio(1, 8)?.then(|| input.arbitrary()).transpose()?;
        let login = match input.int_in_range(0..=7)? {
            0 => Login::Password,
            1 => Login::Md5,
            2 => Login::Scram(bytes(&mut input)?, bytes(&mut input)?),
            _ => Login::Trust,
        };
        let takes_copy = input.arbitrary()?;
        let mut is_plain = true;
        let columns = input.int_in_range(1..=SMALL)?;
        let mut chosen = Vec::new();
        for _ in 0..columns {
            let at = input.choose_index(TYPES.len())?;
            is_plain &= at < RENDERED;
            chosen.push(TYPES[at]);
        }
        let mut rows = Vec::new();
        for _ in 0..input.int_in_range(0..=SMALL)? {
            let values = chosen.iter().map(|(_, usual)| {
                Ok(match input.int_in_range(0..=7)? {
                    0 => None,
                    1 => {
                        is_plain = false;
                        Some(bytes(&mut input)?)
                    }
                    _ => Some(usual.to_vec()),
                })
            });
            rows.push(values.collect::<Result<Vec<_>>>()?);
        }
        let times = if input.int_in_range(0..=31)? == 0 {
            MANY
        } else {
            1
        };
        let mut edits = Vec::new();
        while edits.len() < EDITS && !input.is_empty() {
            edits.push((input.arbitrary::<u8>()? & MESSAGES, edit(&mut input)?));
        }
        Ok(Script {
            call,
            tls,
            login,
            takes_copy,
            types: chosen.iter().map(|(oid, _)| *oid).collect(),
            rows,
            times,
            is_plain,
            edits,
        })
    }

    /// The command and the call, without the connection string.
    pub(super) fn call(&self) -> (&'static str, Value) {
        let rows: Vec<[&str; 2]> = vec![["x", "y"]; 40];
        match self.call % 9 {
            0 => table(
                "SelectValuesV2",
                json!({"columns": ["*"], "where": [["a", "=", "x"]]}),
            ),
            1 => table(
                "SelectValuesV2",
                json!({"columns": ["*"], "rows": "objects"}),
            ),
            2 => table(
                "InsertValuesV2",
                json!({"columns": ["a"], "values": [["x"]]}),
            ),
            3 => table(
                "InsertValuesV2",
                json!({"columns": ["a", "b"], "values": rows}),
            ),
            4 => table(
                "UpdateValuesV2",
                json!({"set": {"a": "x"}, "returning": ["*"], "max_affected": 9_999}),
            ),
            5 => table(
                "CreateTableV2",
                json!({"column_definitions": [{"name": "a", "type": "int"}]}),
            ),
            6 => table("DeleteValuesV2", json!({"where": [["a", "=", "x"]]})),
            7 => (
                "DoSQL",
                json!({"schema": {"sql": "SELECT 1", "fetch_results": true}}),
            ),
            _ => (
                "DoSQL",
                json!({"schema": {"sql": "SET a TO b; INSERT INTO t VALUES (%s); SELECT 1", "values": ["x"], "fetch_results": true}}),
            ),
        }
    }

    /// Whether a call that runs on this server must succeed.
    pub(super) fn is_sound(&self) -> bool {
        // The driver takes no notice while it logs in.
        let harmless =
            |(at, edit): &(_, Edit)| *at > LOGIN_MESSAGES && matches!(edit, Edit::Notice);
        let small = self.times == 1;
        let answers_login = matches!(self.login, Login::Trust | Login::Password | Login::Md5);
        let sound = self.is_plain && small && answers_login && self.tls.is_none();
        sound && self.edits.iter().all(harmless)
    }

    pub(super) fn falls_silent(&self) -> bool {
        self.edits.iter().any(|(_, edit)| *edit == Edit::Silence)
    }
}

fn table(command: &'static str, schema: Value) -> (&'static str, Value) {
    (command, json!({"table_name": "t", "schema": schema}))
}

fn edit(input: &mut Unstructured<'_>) -> Result<Edit> {
    const NAMES: &[&str] = &[
        "DateStyle",
        "TimeZone",
        "IntervalStyle",
        "default_transaction_read_only",
        "x",
    ];
    Ok(match input.int_in_range(0..=15)? {
        0 | 1 => Edit::Drop,
        2 => Edit::Repeat,
        3..=6 => Edit::Byte(input.arbitrary()?, input.arbitrary()?),
        7 => Edit::Cut(input.arbitrary()?),
        8 | 9 => Edit::Bytes(bytes(input)?),
        10 => Edit::Error(input.arbitrary()?),
        11 => Edit::Notice,
        12 => {
            let value: String = input.arbitrary()?;
            Edit::Status((*input.choose(NAMES)?).into(), value.replace('\0', ""))
        }
        13 => Edit::Close,
        // Seldom, as each takes until the deadline.
        14 if input.ratio(1, 8)? => Edit::Silence,
        _ => Edit::Byte(input.int_in_range(0..=8)?, input.arbitrary()?),
    })
}

fn bytes(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let size = input.int_in_range(0..=63)?;
    Ok(input.bytes(size.min(input.len()))?.to_vec())
}
