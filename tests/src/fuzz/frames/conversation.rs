//! One connection of the server: it answers each message as PostgreSQL would, from what the script has.

use super::messages::{count, data_row, parameter_description, report, row_description, texts};
use super::script::{Login, Script};
use super::stream::Stream;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// Codes of messages that come before any other: TLS is asked for, a statement shall be cancelled.
const TLS: u32 = 80_877_103;
const CANCEL: u32 = 80_877_102;

/// What the host asks beside what a call wants done.
const OWN: [&str; 6] = [
    "SELECT current_setting",
    "SELECT to_json",
    "SELECT t.typname",
    "SET d",
    "ROLLBACK",
    "DISCARD",
];

/// One connection.
pub(super) struct Conversation {
    stream: Stream,
    script: Arc<Script>,
    /// Text of each prepared statement.
    statements: HashMap<Vec<u8>, String>,
    /// What runs.
    running: String,
    in_transaction: bool,
    /// The host sends rows; until their end nothing else counts.
    takes_rows: bool,
}

impl Conversation {
    pub(super) fn new(stream: Stream, script: Arc<Script>) -> Conversation {
        Conversation {
            stream,
            script,
            statements: HashMap::new(),
            running: String::new(),
            in_transaction: false,
            takes_rows: false,
        }
    }

    /// Holds the conversation to its end.
    pub(super) async fn hold(mut self) -> io::Result<()> {
        loop {
            match (self.stream.first().await?, self.script.tls) {
                (CANCEL, _) => return Ok(()),
                (TLS, Some(answer)) => self.stream.say(&[answer]),
                _ => break,
            }
            self.stream.flush().await?;
        }
        self.log_in().await?;
        loop {
            let (tag, body) = self.stream.next().await?;
            match tag {
                b'Q' => self.query(&body).await?,
                b'P' => self.parse(&body).await?,
                b'D' => self.describe(&body).await?,
                b'B' => self.bind(&body).await?,
                b'E' => self.execute().await?,
                b'C' => self.stream.send(b'3', &[]).await?,
                b'c' => {
                    self.takes_rows = false;
                    self.complete("COPY 40").await?;
                }
                b'f' => {
                    self.takes_rows = false;
                    self.stream.send(b'E', &report("ERROR", "57014")).await?;
                }
                b'S' if !self.takes_rows => self.ready().await?,
                b'X' => return Ok(()),
                _ => {}
            }
        }
    }

    async fn log_in(&mut self) -> io::Result<()> {
        match self.script.login.clone() {
            Login::Trust => {}
            Login::Password => {
                self.stream.send(b'R', &3_u32.to_be_bytes()).await?;
                self.stream.next().await?;
            }
            Login::Md5 => {
                self.stream.send(b'R', b"\0\0\0\x05salt").await?;
                self.stream.next().await?;
            }
            Login::Scram(first, last) => {
                self.stream
                    .send(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0")
                    .await?;
                for (step, own) in [(11_u32, first), (12, last)] {
                    self.stream.next().await?;
                    self.stream
                        .send(b'R', &[&step.to_be_bytes(), &own[..]].concat())
                        .await?;
                }
            }
        }
        self.stream.send(b'R', &[0; 4]).await?;
        for (name, value) in [
            ("client_encoding", "UTF8"),
            ("DateStyle", "ISO, MDY"),
            ("IntervalStyle", "postgres"),
            ("TimeZone", "UTC"),
            ("default_transaction_read_only", "off"),
        ] {
            self.stream.send(b'S', &texts(&[name, value])).await?;
        }
        self.stream.send(b'K', &[1; 8]).await?;
        self.ready().await
    }

    async fn query(&mut self, body: &[u8]) -> io::Result<()> {
        self.running = text(body);
        let word = self
            .running
            .split([' ', ';'])
            .next()
            .unwrap_or_default()
            .to_owned();
        if self.running.contains("extra_float_digits") {
            let columns = ["v", "f", "b", "m", "c"].map(|name| (name, 25));
            self.stream.send(b'T', &row_description(&columns)).await?;
            let values = ["150018", "1", "hex", "C"].map(|value| Some(value.into()));
            self.stream
                .send(b'D', &data_row(&[&values[..], &[None]].concat()))
                .await?;
        }
        self.in_transaction |= word == "BEGIN";
        self.complete(&word).await?;
        self.in_transaction &= !matches!(word.as_str(), "COMMIT" | "ROLLBACK");
        self.ready().await
    }

    async fn parse(&mut self, body: &[u8]) -> io::Result<()> {
        let mut parts = body.split(|byte| *byte == 0);
        let (name, sql) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        self.running = text(sql);
        self.statements.insert(name.to_vec(), text(sql));
        self.stream.send(b'1', &[]).await
    }

    async fn describe(&mut self, body: &[u8]) -> io::Result<()> {
        if let Some((b'S', name)) = body.split_first() {
            let name = name.strip_suffix(b"\0").unwrap_or(name);
            self.running = self.statements.get(name).cloned().unwrap_or_default();
            let parameters = (1..).take_while(|at| self.running.contains(&format!("${at}")));
            let parameters = parameters.count();
            self.stream
                .send(b't', &parameter_description(parameters))
                .await?;
        }
        match self.columns() {
            columns if columns.is_empty() => self.stream.send(b'n', &[]).await,
            columns => self.stream.send(b'T', &row_description(&columns)).await,
        }
    }

    async fn bind(&mut self, body: &[u8]) -> io::Result<()> {
        let name = body.split(|byte| *byte == 0).nth(1).unwrap_or_default();
        self.running = self.statements.get(name).cloned().unwrap_or_default();
        self.stream.send(b'2', &[]).await
    }

    async fn execute(&mut self) -> io::Result<()> {
        if self.running.starts_with("COPY") {
            self.takes_rows = true;
            let formats = [&[0][..], &count(2), &[0; 4]].concat();
            return self.stream.send(b'G', &formats).await;
        }
        let rows = self.rows();
        for row in &rows {
            self.stream.send(b'D', &data_row(row)).await?;
        }
        let word = self
            .running
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        let tag = match word.as_str() {
            "INSERT" => format!("INSERT 0 {}", rows.len().max(1)),
            "CREATE" => "CREATE TABLE".into(),
            word => format!("{word} {}", rows.len()),
        };
        self.complete(&tag).await
    }

    /// Name and type of each column that what runs gives.
    fn columns(&self) -> Vec<(&'static str, u32)> {
        match self.running.as_str() {
            sql if sql.contains("to_regclass") => vec![("a", 16), ("b", 16)],
            sql if sql.starts_with("SELECT to_json") => vec![("a", 114)],
            sql if sql.starts_with("SELECT format") => vec![("a", 25)],
            sql if sql.contains("pg_catalog.pg_type") => {
                let types = [19, 18, 26, 26, 26, 19, 26];
                types.map(|oid| ("a", oid)).into()
            }
            sql if sql.starts_with("SELECT")
                || sql.starts_with("WITH")
                || sql.contains("RETURNING") =>
            {
                self.script.types.iter().map(|oid| ("a", *oid)).collect()
            }
            _ => vec![],
        }
    }

    fn rows(&self) -> Vec<Vec<Option<Vec<u8>>>> {
        match self.running.as_str() {
            sql if sql.contains("to_regclass") => {
                vec![vec![
                    Some(vec![1]),
                    Some(vec![self.script.takes_copy.into()]),
                ]]
            }
            sql if sql.starts_with("SELECT to_json") => vec![vec![Some(b"1".to_vec())]],
            sql if sql.starts_with("SELECT format") => vec![vec![Some(b"SET a TO b".to_vec())]],
            sql if sql.contains("pg_catalog.pg_type") => {
                let none = Some(vec![0; 4]);
                let name = Some(b"t".to_vec());
                vec![vec![
                    name.clone(),
                    Some(b"b".to_vec()),
                    none.clone(),
                    None,
                    none.clone(),
                    name,
                    none,
                ]]
            }
            _ if self.columns().is_empty() => vec![],
            _ => vec![&self.script.rows[..]; self.script.times].concat(),
        }
    }

    async fn complete(&mut self, tag: &str) -> io::Result<()> {
        self.stream.is_complete = true;
        self.stream.send(b'C', &texts(&[tag])).await
    }

    /// Tells that the next request can come, and with it that the last one is done.
    async fn ready(&mut self) -> io::Result<()> {
        let status = if self.in_transaction { b'T' } else { b'I' };
        let own = OWN.iter().any(|sql| self.running.starts_with(sql));
        self.stream
            .ready(status, !own && !self.in_transaction)
            .await
    }
}

fn text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}
