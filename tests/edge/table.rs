//! Hostile requests, and what becomes of each.

/// A request and its outcome.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What is sent.
    pub(crate) request: Vec<u8>,
    /// The statuses of the responses. The connection is closed behind them, by either side; where there
    /// are none, it is the server that closes it.
    pub(crate) statuses: &'static [u16],
    /// What the last response holds.
    pub(crate) holds: &'static str,
    /// Whether the client sends no more from then on.
    pub(crate) half_closes: bool,
}

/// Runs where it must not: each request that others try to smuggle.
pub(crate) const SMUGGLED: &str = "INSERT INTO smuggled VALUES (1)";

/// The command that all of these call.
const PATH: &str = "/v1/do/postgres_v2/DoSQL";

const JSON: &str = "Content-Type: application/json\r\n";

/// Length of a connection string in quotes, with blanks behind it: it is filled in when the lengths of
/// bodies are known.
const PADDED: usize = 200;

fn body(sql: &str) -> String {
    let dsn = pad("DSN");
    format!(
        r#"{{"database_connection_str": {dsn}, "schema": {{"sql": "{sql}", "fetch_results": true}}}}"#
    )
}

fn pad(dsn: &str) -> String {
    assert!(dsn.len() < PADDED - 2 && !dsn.contains('"'));
    format!("{:PADDED$}", format!("\"{dsn}\""))
}

/// A call with these header fields in front of this body.
fn with(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("POST {PATH} HTTP/1.1\r\nHost: a\r\n{JSON}{fields}\r\n");
    [head.as_bytes(), body.as_ref()].concat()
}

/// A call with this body, of the length that it has.
pub(crate) fn post(body: impl AsRef<[u8]>) -> Vec<u8> {
    let length = format!("Content-Length: {}\r\n", body.as_ref().len());
    with(&length, body)
}

fn smuggled() -> String {
    let body = body(SMUGGLED).replace(", \"fetch_results\": true", "");
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: a\r\n{JSON}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn chunked(fields: &str, chunks: &str) -> Vec<u8> {
    with(&format!("Transfer-Encoding: chunked\r\n{fields}"), chunks)
}

/// A GET of `/liveness` with these further header fields.
fn get(fields: &str) -> String {
    format!("GET /liveness HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

fn case(name: &'static str, request: impl Into<Vec<u8>>, statuses: &'static [u16]) -> Case {
    Case {
        name,
        request: request.into(),
        statuses,
        holds: "",
        half_closes: false,
    }
}

impl Case {
    /// What is sent, with the connection string.
    pub(crate) fn request(&self, dsn: &str) -> Vec<u8> {
        match std::str::from_utf8(&self.request) {
            Ok(text) => text.replace(&pad("DSN"), &pad(dsn)).into(),
            Err(_) => self.request.clone(),
        }
    }

    fn holding(self, holds: &'static str) -> Case {
        Case { holds, ..self }
    }

    fn half_closed(self) -> Case {
        Case {
            half_closes: true,
            ..self
        }
    }
}

pub(crate) fn all() -> Vec<Case> {
    [framing(), heads(), lines(), bodies(), values()]
        .into_iter()
        .flatten()
        .collect()
}

/// Where one request ends and the next begins.
fn framing() -> Vec<Case> {
    let good = body("SELECT 7");
    let length = good.len();
    let tail = smuggled();
    let ended = format!("0\r\n\r\n{tail}");
    vec![
        // By its chunks the body is empty; what follows is dropped with the connection.
        case(
            "Content-Length and then Transfer-Encoding",
            with(
                &format!(
                    "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
                    ended.len()
                ),
                &ended,
            ),
            &[400],
        ),
        case(
            "Transfer-Encoding and then Content-Length",
            with(
                "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                &ended,
            ),
            &[400],
        ),
        case(
            "two lengths",
            with("Content-Length: 0\r\nContent-Length: 999\r\n", &tail),
            &[400],
        ),
        case(
            "the same length twice",
            with(
                &format!("Content-Length: {length}\r\nContent-Length: {length}\r\n"),
                &good,
            ),
            &[200],
        ),
        case(
            "a list of lengths",
            with("Content-Length: 5, 6\r\n", "12345"),
            &[400],
        ),
        case(
            "a length with a sign",
            with("Content-Length: +5\r\n", "12345"),
            &[400],
        ),
        case(
            "a length below zero",
            with("Content-Length: -5\r\n", "12345"),
            &[400],
        ),
        case(
            "a hexadecimal length",
            with("Content-Length: 0x5\r\n", "12345"),
            &[400],
        ),
        case("an empty length", with("Content-Length:\r\n", ""), &[400]),
        case(
            "a length beyond 64 bits",
            with("Content-Length: 99999999999999999999\r\n", ""),
            &[400],
        ),
        case(
            "a length at the end of 64 bits",
            with("Content-Length: 18446744073709551615\r\n", ""),
            &[431],
        ),
        case(
            "a length of an exabyte",
            with("Content-Length: 1000000000000000000\r\n", ""),
            &[413],
        ),
        case(
            "two codings",
            with("Transfer-Encoding: gzip, chunked\r\n", &ended),
            &[400],
        ),
        case(
            "chunked twice",
            with(
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                &ended,
            ),
            &[400],
        ),
        case(
            "an unknown coding",
            with("Transfer-Encoding: xchunked\r\n", &ended),
            &[400],
        ),
        case(
            "chunked that is not last",
            with("Transfer-Encoding: chunked, identity\r\n", &ended),
            &[400],
        ),
        case(
            "chunked behind a vertical tab",
            with("Transfer-Encoding: \x0bchunked\r\n", &ended),
            &[400],
        ),
        case(
            "a space in front of the colon",
            with("Transfer-Encoding : chunked\r\n", &ended),
            &[400],
        ),
        case(
            "chunks in HTTP/1.0",
            format!(
                "POST {PATH} HTTP/1.0\r\nHost: a\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n{ended}"
            ),
            &[400],
        ),
        case(
            "a body that is chunked",
            chunked("", &(chunk(&good) + "0\r\n\r\n")),
            &[200],
        ),
        case(
            "a chunk without end",
            chunked("", "fffffffffffffffff\r\n"),
            &[400],
        ),
        case(
            "a chunk of the most bytes",
            chunked("", "ffffffffffffffff\r\n{"),
            &[408],
        ),
        case(
            "a chunk size that is none",
            chunked("", "xyz\r\n{}\r\n0\r\n\r\n"),
            &[400],
        ),
        case(
            "a chunk size below zero",
            chunked("", "-1\r\n{}\r\n0\r\n\r\n"),
            &[400],
        ),
        case(
            "a chunk that is longer than it says",
            chunked("", "1\r\n{}\r\n0\r\n\r\n"),
            &[400],
        ),
        case(
            "an endless chunk extension",
            chunked("", &format!("1;{}\r\n", "x".repeat(100_000))),
            &[400],
        ),
        case(
            "a trailer that gives a length",
            chunked(
                "Trailer: Content-Length\r\n",
                &(chunk(&good) + "0\r\nContent-Length: 5\r\n\r\n"),
            ),
            &[200],
        ),
        case(
            "endless trailers",
            chunked(
                "",
                &(chunk(&good) + "0\r\n" + &format!("a: {}\r\n", "x".repeat(1_000)).repeat(200)),
            ),
            &[400],
        ),
        case(
            "pipelined requests",
            get("") + &get("") + "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n",
            &[200, 200, 404],
        ),
        case(
            "noise between requests",
            get("") + "\0\0\0" + &get(""),
            &[200, 400],
        ),
        case(
            "more of a body than its length",
            with("Content-Length: 2\r\n", "{}xyz"),
            &[400],
        ),
    ]
}

/// Header fields.
fn heads() -> Vec<Case> {
    vec![
        case("a folded field", get("X: a\r\n b\r\n"), &[400]),
        case("a bare CR in a field", get("X: a\rY: b\r\n"), &[400]),
        case("a NUL in a field", get("X: a\0b\r\n"), &[400]),
        case("a NUL in a name", get("X\0: a\r\n"), &[400]),
        case("a field without a colon", get("nonsense\r\n"), &[400]),
        case("a field without a name", get(": a\r\n"), &[400]),
        case("a name with a space", get("X Y: a\r\n"), &[400]),
        // RFC 9112 lets servers take a lone LF for the end of a line, and there is no other reading.
        case("bare LF", get("").replace("\r\n", "\n"), &[200]),
        case(
            "a field that is not UTF-8",
            [
                b"GET /liveness HTTP/1.1\r\nHost: a\r\nX: ",
                &[0xff; 9][..],
                b"\r\n\r\n",
            ]
            .concat(),
            &[200],
        ),
        case(
            "a huge field",
            get(&format!("X: {}\r\n", "x".repeat(20_000))),
            &[431],
        ),
        case("many fields", get(&"X: a\r\n".repeat(60)), &[431]),
        case(
            "fields without end",
            get("").replace("\r\n\r\n", "\r\n") + &"X: a\r\n".repeat(100_000),
            &[431],
        ),
        case("no Host", "GET /liveness HTTP/1.1\r\n\r\n", &[400]),
        case(
            "no Host in HTTP/1.0",
            "GET /liveness HTTP/1.0\r\n\r\n",
            &[200],
        ),
        case("two Hosts", get("Host: b\r\n"), &[400]),
        case(
            "a Host with a path",
            get("").replace("Host: a", "Host: a/b"),
            &[400],
        ),
        case(
            "a Host with a user",
            get("").replace("Host: a", "Host: u@a"),
            &[400],
        ),
        case(
            "a Host that is someone else's",
            get("").replace("Host: a", "Host: evil.example"),
            &[200],
        ),
        case(
            "an upgrade to HTTP/2",
            get(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
            ),
            &[200],
        ),
        case(
            "an upgrade to a socket",
            get("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            &[200],
        ),
        case(
            "an expectation that nobody knows",
            get("Expect: 200-ok\r\n"),
            &[200],
        ),
    ]
}

/// Request lines, and what is none.
fn lines() -> Vec<Case> {
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n");
    vec![
        case(
            "a huge request line",
            line(&format!("GET /{} HTTP/1.1", "x".repeat(100_000))),
            &[431],
        ),
        case(
            "a URI with its host",
            line("GET http://a/liveness HTTP/1.1"),
            &[200],
        ),
        case(
            "a URI with another host",
            line("GET http://b/liveness HTTP/1.1"),
            &[200],
        ),
        case(
            "a URI with another scheme",
            line("GET ftp://a/liveness HTTP/1.1"),
            &[200],
        ),
        case("CONNECT", line("CONNECT a:80 HTTP/1.1"), &[404]),
        case("TRACE", line("TRACE /liveness HTTP/1.1"), &[405]),
        case(
            "a method in lower case",
            line("get /liveness HTTP/1.1"),
            &[405],
        ),
        case(
            "a method that nobody knows",
            line("BREW /liveness HTTP/1.1"),
            &[405],
        ),
        case(
            "a method that is none",
            line("G(T /liveness HTTP/1.1"),
            &[400],
        ),
        case("OPTIONS of everything", line("OPTIONS * HTTP/1.1"), &[404]),
        case("HTTP/0.9", "GET /liveness\r\n", &[400]),
        case("HTTP/1.2", line("GET /liveness HTTP/1.2"), &[400]),
        case(
            "HTTP/2.0 in the line",
            line("GET /liveness HTTP/2.0"),
            &[400],
        ),
        case(
            "two spaces in the line",
            line("GET  /liveness HTTP/1.1"),
            &[400],
        ),
        case("a tab in the line", line("GET\t/liveness HTTP/1.1"), &[400]),
        case(
            "a path that is not UTF-8",
            b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
            &[400],
        ),
        case(
            "a path with an escaped NUL",
            line("GET /v1/do/%00/%00 HTTP/1.1"),
            &[404],
        ),
        case(
            "a path that climbs",
            line("GET /v1/../../etc/passwd HTTP/1.1"),
            &[404],
        ),
        case(
            "a path with a fragment",
            line("GET /liveness#x HTTP/1.1"),
            &[200],
        ),
        case(
            "empty lines in front",
            format!("\r\n\r\n{}", get("")),
            &[200],
        ),
        case(
            "TLS",
            [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[7; 40]].concat(),
            &[400],
        ),
        case(
            "HTTP/2, then noise",
            format!("{preface}{}", "noise".repeat(20)),
            &[],
        )
        .holding("\0"),
        case("HTTP/2, then HTTP/1", format!("{preface}{}", get("")), &[]).holding("\0"),
        case("HTTP/2 and nothing more", preface, &[]).holding("\0"),
        case(
            "half of what HTTP/2 begins with",
            "PRI * HTTP/2.0\r\n\r\nS",
            &[],
        ),
        case("nothing", "", &[]),
        case("a line break and nothing more", "\r\n", &[]),
        case("half of a head", "GET /liveness HTTP/1.1\r\nHo", &[]),
        case(
            "half of a head, and no more",
            "GET /liveness HTTP/1.1\r\nHo",
            &[],
        )
        .half_closed(),
    ]
}

/// Bodies as bytes.
fn bodies() -> Vec<Case> {
    let good = body("SELECT 7");
    let long = "Content-Length: 50000\r\n";
    let expect = format!("Expect: 100-continue\r\nContent-Length: {}\r\n", good.len());
    let elsewhere = |fields: &str| {
        format!("POST /v1/do/postgres_v2/Nothing HTTP/1.1\r\nHost: a\r\n{JSON}{fields}\r\n")
    };
    vec![
        case(
            "less of a body than its length",
            with("Content-Length: 100\r\n", "{"),
            &[408],
        ),
        case(
            "less of a body, and no more",
            with("Content-Length: 100\r\n", "{"),
            &[400],
        )
        .half_closed(),
        case(
            "less of a chunk, and no more",
            chunked("", "5\r\n{"),
            &[400],
        )
        .half_closed(),
        case("too long by its length", with(long, ""), &[413]),
        case(
            "too long by its chunks",
            chunked("", &chunk(&"x".repeat(50_000))),
            &[413],
        ),
        case(
            "too long, with its bytes",
            with(long, "x".repeat(50_000)),
            &[413],
        ),
        case(
            "a body that waits for leave",
            with(&expect, &good),
            &[100, 200],
        ),
        case(
            "no leave for what is too long",
            with(&format!("Expect: 100-continue\r\n{long}"), ""),
            &[413],
        ),
        case("no leave for what is not there", elsewhere(&expect), &[404]),
        case(
            "packed, and told so",
            with(
                "Content-Encoding: gzip\r\nContent-Length: 3\r\n",
                [0x1f, 0x8b, 8],
            ),
            &[415],
        ),
        case("packed, and not told so", post([0x1f, 0x8b, 8, 0]), &[400]),
        case(
            "another type",
            format!(
                "POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n"
            ),
            &[415],
        ),
        case("not UTF-8", post(b"{\"schema\": \"\xff\"}"), &[400]),
        case("UTF-16", post(b"\xff\xfe{\0}\0"), &[400]),
        case("no body", post(""), &[400]),
    ]
}

/// Bodies as JSON.
fn values() -> Vec<Case> {
    let deep = |open: &str, close: &str| {
        let deep = open.repeat(2_000) + &close.repeat(2_000);
        body("SELECT 7").replace("true}", &format!("true, \"values\": [{deep}]}}"))
    };
    let used = |kind: &str| {
        let deep = "[".repeat(2_000) + &"]".repeat(2_000);
        let body = body(&format!("SELECT %s::{kind}"));
        post(body.replace("true}", &format!("true, \"values\": [{deep}]}}")))
    };
    let value = |value: &str| {
        let body = body("SELECT %s::text");
        post(body.replace("true}", &format!("true, \"values\": [{value}]}}")))
    };
    let unknown = format!(
        "{{\"spiff__x\": {}{}, {}",
        "[".repeat(9_000),
        "]".repeat(9_000),
        &body("SELECT 7")[1..]
    );
    vec![
        case("deep lists", post(deep("[", "]")), &[400]),
        case("deep lists that are used", used("jsonb"), &[400]),
        case("deep lists as text", used("text"), &[400]),
        case(
            "deep objects",
            post(deep("{\"a\":", "}").replace(":}", ":1}")),
            &[400],
        ),
        case("deep lists without end", post("[".repeat(19_000)), &[400]),
        case("deep lists that nobody reads", post(unknown), &[200]).holding("[[7]]"),
        case(
            "the same key twice",
            post(body("SELECT 7").replacen('{', "{\"schema\": {\"sql\": \"SELECT 8\"}, ", 1)),
            &[200],
        )
        .holding("[[7]]"),
        case("a huge exponent", value("1e999999"), &[200]).holding("error_code"),
        case("a huge integer", value(&"9".repeat(5_000)), &[200]).holding("99999"),
        case("a number that is none", value("NaN"), &[200]).holding("NaN"),
        case("half of a surrogate pair", value(r#""\ud800""#), &[400])
            .holding("UnicodeEncodeError"),
        case("a NUL in a text", value(r#""\u0000""#), &[200]).holding("error_code"),
        case("a raw control character", value("\"\x01\""), &[400]),
        case("a comma too many", value("1,"), &[400]),
        case(
            "two documents",
            post(body("SELECT 7") + &body("SELECT 8")),
            &[400],
        ),
        case("a list of parameters", post("[1]"), &[400]),
        case(
            "many parameters",
            post(format!(
                "{{{}\"a\": 1}}",
                (0..1_000)
                    .map(|n| format!("\"p{n}\": 1, "))
                    .collect::<String>()
            )),
            &[400],
        ),
        case(
            "a text as long as may be",
            value(&format!("\"{}\"", "x".repeat(19_000))),
            &[200],
        )
        .holding("xxxx"),
    ]
}
