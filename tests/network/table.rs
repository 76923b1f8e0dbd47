//! Connection strings that mean harm or make no sense, and what shall come of each.

/// What stands in every string in the place of a password. No reply and no log may have it.
pub(crate) const PASSWORD: &str = "canary-hunter2";

/// The configuration that the table is for.
pub(crate) const CONFIG: &str = "[limits]\nconnect_ms = 3000\n[network]\n\
     deny = [\"127.0.0.2\", \"*.denied.example\", \"denied.example\"]\n";

/// One string, and what shall come of it.
pub(crate) struct Row {
    pub(crate) dsn: String,
    /// The code of the error; empty where it shall connect.
    pub(crate) code: &'static str,
    /// A part of the message.
    pub(crate) message: &'static str,
}

const DENIED: &str = "PolicyDenied";
const REFUSED: &str = "OperationalError";
const UNREADABLE: &str = "ProgrammingError";

/// Every row. Whatever could be dialled that must not be has a listener at `port`.
pub(crate) fn rows(port: u16) -> Vec<Row> {
    let mut rows = Vec::new();
    for (host, code, message) in HOSTS {
        let dsn = format!("user=u password={PASSWORD} dbname=d port={port} host='{host}'");
        rows.push(Row { dsn, code, message });
    }
    for (more, code, message) in PAIRS {
        let more = more.replace("PORT", &port.to_string());
        let dsn = format!("user=u dbname=d {more} password={PASSWORD}");
        rows.push(Row { dsn, code, message });
    }
    for (rest, code, message) in URIS {
        let rest = rest.replace("PORT", &port.to_string());
        let dsn = format!("postgresql://{}", rest.replace("SECRET", PASSWORD));
        rows.push(Row { dsn, code, message });
    }
    for (dsn, code, message) in long(port) {
        rows.push(Row { dsn, code, message });
    }
    rows
}

/// Hosts, as they stand in quotes.
const HOSTS: &[(&str, &str, &str)] = &[
    // One address, in many disguises.
    ("127.0.0.2", DENIED, "deny lists \"127.0.0.2\""),
    ("::ffff:127.0.0.2", DENIED, "deny lists \"127.0.0.2\""),
    ("::FFFF:7F00:2", DENIED, "deny lists \"127.0.0.2\""),
    ("::127.0.0.2", DENIED, "deny lists \"127.0.0.2\""),
    ("::ffff:0:127.0.0.2", DENIED, "deny lists \"127.0.0.2\""),
    ("64:ff9b::7f00:2", DENIED, "deny lists \"127.0.0.2\""),
    ("64:ff9b:1::7f00:2", DENIED, "deny lists \"127.0.0.2\""),
    ("2002:7f00:2::1", DENIED, "deny lists \"127.0.0.2\""),
    ("0177.0.0.2", REFUSED, "four decimal numbers"),
    ("0x7f.0.0.2", REFUSED, "four decimal numbers"),
    ("0x7f000002", REFUSED, "four decimal numbers"),
    ("2130706434", REFUSED, "four decimal numbers"),
    ("127.2", REFUSED, "four decimal numbers"),
    ("127.0.2", REFUSED, "four decimal numbers"),
    ("127.0.0.02", REFUSED, "four decimal numbers"),
    ("127.0.0.2.", REFUSED, "four decimal numbers"),
    ("127.0.0.258", REFUSED, "four decimal numbers"),
    ("127.0.0.2%lo", REFUSED, "must not name a zone"),
    ("１２７.0.0.2", REFUSED, "ASCII form"),
    ("127。0。0。2", REFUSED, "ASCII form"),
    ("127．0．0．2", REFUSED, "ASCII form"),
    ("①②⑦.0.0.2", REFUSED, "ASCII form"),
    ("127.0.0.2:5432", REFUSED, "a name is made of"),
    ("[::1]", REFUSED, "a name is made of"),
    ("127.0.0.1,127.0.0.2", DENIED, "deny lists \"127.0.0.2\""),
    ("127.0.0.1 127.0.0.2", REFUSED, "a name is made of"),
    // Closed for everyone.
    ("0.0.0.0", DENIED, "unspecified addresses are closed"),
    ("0.1.2.3", DENIED, "unspecified addresses are closed"),
    ("::", DENIED, "unspecified addresses are closed"),
    ("::ffff:0.0.0.0", DENIED, "unspecified addresses are closed"),
    (
        "169.254.169.254",
        DENIED,
        "cloud metadata addresses are closed",
    ),
    (
        "169.254.170.2",
        DENIED,
        "cloud metadata addresses are closed",
    ),
    (
        "fd00:ec2::254",
        DENIED,
        "cloud metadata addresses are closed",
    ),
    (
        "100.100.100.200",
        DENIED,
        "cloud metadata addresses are closed",
    ),
    ("192.0.0.192", DENIED, "cloud metadata addresses are closed"),
    (
        "168.63.129.16",
        DENIED,
        "cloud metadata addresses are closed",
    ),
    (
        "::ffff:a9fe:a9fe",
        DENIED,
        "cloud metadata addresses are closed",
    ),
    (
        "64:ff9b::a9fe:a9fe",
        DENIED,
        "cloud metadata addresses are closed",
    ),
    (
        "2001:0:a9fe:a9fe::1",
        DENIED,
        "cloud metadata addresses are closed",
    ),
    (
        "2001:db8::5efe:a9fe:a9fe",
        DENIED,
        "cloud metadata addresses are closed",
    ),
    ("169.254.1.1", DENIED, "link-local addresses are closed"),
    ("fe80::1", DENIED, "link-local addresses are closed"),
    ("fe80::1%eth0", REFUSED, "must not name a zone"),
    ("fe80::1%2", REFUSED, "must not name a zone"),
    ("224.0.0.1", DENIED, "multicast addresses are closed"),
    ("ff02::1", DENIED, "multicast addresses are closed"),
    ("255.255.255.255", DENIED, "broadcast addresses are closed"),
    ("240.0.0.1", DENIED, "reserved addresses are closed"),
    // Names.
    (
        "db.denied.example",
        DENIED,
        "deny lists \"*.denied.example\"",
    ),
    (
        "DB.Denied.Example.",
        DENIED,
        "deny lists \"*.denied.example\"",
    ),
    ("denied.example", DENIED, "deny lists \"denied.example\""),
    ("denied.example..", REFUSED, "a name is made of"),
    (".denied.example", REFUSED, "a name is made of"),
    ("nosuchhost.invalid", REFUSED, "Name or service not known"),
    ("lоcalhost", REFUSED, "ASCII form"),
    ("local\u{200b}host", REFUSED, "ASCII form"),
    ("local\u{ad}host", REFUSED, "ASCII form"),
    ("\u{202e}tsohlacol", REFUSED, "ASCII form"),
    ("bücher.example", REFUSED, "ASCII form"),
    ("local\u{1}host", UNREADABLE, "holds a control character"),
    ("local\nhost", UNREADABLE, "holds a control character"),
    ("local\u{0}host", UNREADABLE, "holds a NUL character"),
    ("http://127.0.0.2/", REFUSED, "a name is made of"),
    ("u@127.0.0.2", REFUSED, "a name is made of"),
    ("$(id)", REFUSED, "a name is made of"),
    ("../127.0.0.2", REFUSED, "a name is made of"),
    // Sockets.
    (
        "/var/run/postgresql",
        DENIED,
        "unix_sockets does not list its",
    ),
    ("/tmp/../etc", DENIED, "unix_sockets does not list its"),
    ("@abstract", DENIED, "unix_sockets does not list its"),
    ("", DENIED, "unix_sockets does not list its"),
    ("127.0.0.2,", DENIED, "deny lists \"127.0.0.2\""),
    ("127.0.0.2,/tmp", DENIED, "deny lists \"127.0.0.2\""),
    // A comma too many is no reason not to try the others, so it is told with theirs.
    (",", REFUSED, "unix_sockets does not list its"),
];

/// Settings beside a user and a password.
const PAIRS: &[(&str, &str, &str)] = &[
    (
        "hostaddr=127.0.0.2 port=PORT",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "host=localhost hostaddr=127.0.0.2 port=PORT",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "host=127.0.0.1 hostaddr=127.0.0.2 port=PORT",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "host=db.example hostaddr=::ffff:7f00:2 port=PORT",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "host=x.denied.example hostaddr=127.0.0.1 port=PORT",
        DENIED,
        "deny lists \"*.denied",
    ),
    (
        "host=/tmp hostaddr=127.0.0.1 port=PORT",
        REFUSED,
        "a name is made of",
    ),
    (
        "host=127.0.0.1 host=127.0.0.2 port=PORT",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "host=a,b hostaddr=127.0.0.1 port=PORT",
        REFUSED,
        "could not match 2 host names",
    ),
    (
        "hostaddr=localhost port=PORT",
        REFUSED,
        "could not parse network address",
    ),
    (
        "hostaddr=0x7f000002 port=PORT",
        REFUSED,
        "could not parse network address",
    ),
    (
        "hostaddr=127.2 port=PORT",
        REFUSED,
        "could not parse network address",
    ),
    (
        "hostaddr=[::1] port=PORT",
        REFUSED,
        "could not parse network address",
    ),
    (
        "hostaddr=fe80::1%eth0 port=PORT",
        REFUSED,
        "could not parse network address",
    ),
    (
        "host=127.0.0.1 port=0",
        REFUSED,
        "invalid port number: \"0\"",
    ),
    (
        "host=127.0.0.1 port=-1",
        REFUSED,
        "invalid port number: \"-1\"",
    ),
    (
        "host=127.0.0.1 port=65536",
        REFUSED,
        "invalid port number: \"65536\"",
    ),
    (
        "host=127.0.0.1 port=99999999999999999999",
        REFUSED,
        "invalid integer value",
    ),
    (
        "host=127.0.0.1 port=５４３２",
        REFUSED,
        "invalid integer value",
    ),
    (
        "host=127.0.0.1 port=0x1538",
        REFUSED,
        "invalid integer value",
    ),
    (
        "host=127.0.0.1 port=PORT,PORT",
        REFUSED,
        "could not match 2 port numbers",
    ),
    (
        "host=127.0.0.1 port=PORT connect_timeout=x",
        REFUSED,
        "\"connect_timeout\"",
    ),
    (
        "host=127.0.0.1 port=PORT target_session_attrs=x",
        REFUSED,
        "invalid target_session",
    ),
    (
        "HOST=127.0.0.2 port=PORT",
        UNREADABLE,
        "invalid connection option \"HOST\"",
    ),
    (
        "hоst=127.0.0.2 port=PORT",
        UNREADABLE,
        "invalid connection option",
    ),
    ("host=127.0.0.1\u{a0}port=PORT", REFUSED, "ASCII form"),
    (
        "host=127.0.0.1\u{b}port=PORT",
        UNREADABLE,
        "holds a control character",
    ),
    (
        "host=127.0.0.1 port=PORT user='a\nb'",
        UNREADABLE,
        "holds a control character",
    ),
    (
        "host=127.0.0.1 port=PORT application_name='a\u{1b}[2J'",
        UNREADABLE,
        "control character",
    ),
    // Keywords about this machine.
    (
        "host=127.0.0.1 port=PORT sslcert=/etc/passwd",
        REFUSED,
        "\"sslcert\" is not available",
    ),
    (
        "host=127.0.0.1 port=PORT sslkey=/etc/shadow",
        REFUSED,
        "\"sslkey\" is not available",
    ),
    (
        "host=127.0.0.1 port=PORT sslpassword=x",
        REFUSED,
        "\"sslpassword\" is not available",
    ),
    (
        "host=127.0.0.1 port=PORT sslcrl=/etc/passwd",
        REFUSED,
        "\"sslcrl\" is not available",
    ),
    (
        "host=127.0.0.1 port=PORT sslcrldir=/etc",
        REFUSED,
        "\"sslcrldir\" is not available",
    ),
    (
        "host=127.0.0.1 port=PORT sslrootcert=/etc/passwd",
        REFUSED,
        "but for sslrootcert=system",
    ),
    (
        "host=127.0.0.1 port=PORT sslkeylogfile=/tmp/k",
        REFUSED,
        "\"sslkeylogfile\" is not",
    ),
    (
        "host=127.0.0.1 port=PORT passfile=/root/.pgpass",
        REFUSED,
        "\"passfile\" is not available",
    ),
    (
        "service=mine",
        REFUSED,
        "definition of service \"mine\" not found",
    ),
    (
        "host=127.0.0.1 port=PORT servicefile=/tmp/s",
        REFUSED,
        "\"servicefile\" is not available",
    ),
    (
        "host=127.0.0.1 port=PORT replication=database",
        REFUSED,
        "\"replication\" is not",
    ),
    (
        "host=127.0.0.1 port=PORT requirepeer=postgres",
        REFUSED,
        "\"requirepeer\" is not",
    ),
    (
        "host=127.0.0.1 port=PORT krbsrvname=postgres",
        REFUSED,
        "\"krbsrvname\" is not",
    ),
    (
        "host=127.0.0.1 port=PORT gsslib=gssapi",
        REFUSED,
        "\"gsslib\" is not available",
    ),
    (
        "host=127.0.0.1 port=PORT gssencmode=require",
        REFUSED,
        "GSSAPI support is not",
    ),
    (
        "host=127.0.0.1 port=PORT sslnegotiation=direct",
        REFUSED,
        "\"sslnegotiation\" is not",
    ),
    // What the server process would be given.
    (
        "host=127.0.0.1 port=PORT options='-B 5'",
        REFUSED,
        "takes settings only",
    ),
    (
        "host=127.0.0.1 port=PORT options='-r /tmp/x'",
        REFUSED,
        "takes settings only",
    ),
    (
        "host=127.0.0.1 port=PORT options='-c a=b -W 60'",
        REFUSED,
        "takes settings only",
    ),
    (
        "host=127.0.0.1 port=PORT options='--local-preload-libraries=x'",
        REFUSED,
        "must not set \"local_preload_libraries\"",
    ),
    (
        "host=127.0.0.1 port=PORT options='-c post_auth_delay=60'",
        REFUSED,
        "must not set \"post_auth_delay\"",
    ),
    // TLS.
    (
        "host=127.0.0.1 port=PORT sslmode=none",
        REFUSED,
        "invalid sslmode value",
    ),
    (
        "host=127.0.0.1 port=PORT channel_binding=x",
        REFUSED,
        "invalid channel_binding value",
    ),
    (
        "host=127.0.0.1 port=PORT sslsni=2",
        REFUSED,
        "invalid sslsni value",
    ),
    (
        "host=127.0.0.1 port=PORT sslmode=require sslrootcert=system",
        REFUSED,
        "weak sslmode",
    ),
    (
        "host=127.0.0.1 port=PORT ssl_min_protocol_version=TLSv9",
        REFUSED,
        "invalid ssl_min",
    ),
    (
        "host=127.0.0.1 port=PORT ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
        REFUSED,
        "invalid SSL protocol version range",
    ),
    (
        "host=127.0.0.1 port=PORT ssl_max_protocol_version=TLSv1",
        REFUSED,
        "version range",
    ),
    // What cannot be read. What stands behind a password may be the rest of it.
    (
        "host=127.0.0.1 port=PORT x",
        UNREADABLE,
        "missing \"=\" after \"x\"",
    ),
    (
        "password=canary hunter2 host=127.0.0.2",
        UNREADABLE,
        "missing \"=\" behind the password",
    ),
    (
        "password=canary hunter2=2 host=127.0.0.2",
        UNREADABLE,
        "it is not shown",
    ),
    ("host='127.0.0.2", UNREADABLE, "unterminated quoted string"),
    // Swallows the password behind it.
    ("host=127.0.0.2\\", REFUSED, "host name \"…\""),
    (
        "host=127.0.0.2 port=5432\\",
        REFUSED,
        "invalid integer value \"…\"",
    ),
    ("host=/tmp\\", DENIED, "unix_sockets does not list its"),
    ("hostaddr=127.0.0.2\\", REFUSED, "network address \"…\""),
    (
        "host=127.0.0.1 sslmode=disable\\",
        REFUSED,
        "sslmode value: \"…\"",
    ),
    (
        "host=127.0.0.1 connect_timeout=1\\",
        REFUSED,
        "invalid integer value \"…\"",
    ),
    ("service=x\\", REFUSED, "definition of service \"…\""),
];

/// URIs, behind the scheme.
const URIS: &[(&str, &str, &str)] = &[
    (
        "u:SECRET@127.0.0.2:PORT/d",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "u:SECRET@%31%32%37.0.0.2:PORT/d",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "u:SECRET@[::ffff:127.0.0.2]:PORT/d",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "u:SECRET@[fe80::1%25eth0]:PORT/d",
        REFUSED,
        "must not name a zone",
    ),
    (
        "u:SECRET@127.0.0.1:PORT,127.0.0.2:PORT/d",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "u:SECRET@127.0.0.1:PORT/d?host=127.0.0.2",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "u:SECRET@127.0.0.1:PORT/d?hostaddr=127.0.0.2",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "u:SECRET@127.0.0.1:PORT/d?%68ostaddr=127.0.0.2",
        DENIED,
        "deny lists \"127.0.0.2\"",
    ),
    (
        "u:SECRET@127.0.0.1:PORT/d?password=SECRET&host=/tmp",
        DENIED,
        "unix_sockets",
    ),
    (
        "u:SECRET@%2Fvar%2Frun%2Fpostgresql/d",
        DENIED,
        "unix_sockets does not list its",
    ),
    ("u:SECRET@/d", DENIED, "unix_sockets does not list its"),
    (
        "u:SECRET@127.0.0.1%2C127.0.0.2:PORT/d",
        UNREADABLE,
        "holds a comma",
    ),
    (
        "u:SECRET@127.0.0.1%0a:PORT/d",
        UNREADABLE,
        "holds a control character",
    ),
    (
        "u:SECRET@%00:PORT/d",
        UNREADABLE,
        "invalid percent-encoded token",
    ),
    (
        "u:SECRET@%zz:PORT/d",
        UNREADABLE,
        "invalid percent-encoded token",
    ),
    ("u:SECRET@%ff:PORT/d", UNREADABLE, "is not UTF-8"),
    ("u:SECRET@%EF%BC%91.0.0.2:PORT/d", REFUSED, "ASCII form"),
    ("u:SECRET@[::1:PORT/d", UNREADABLE, "matching \"]\""),
    (
        "u:SECRET@[::1]x:PORT/d",
        UNREADABLE,
        "unexpected character behind the \"]\"",
    ),
    (
        "u:SECRET@127.0.0.1@127.0.0.2:PORT/d",
        UNREADABLE,
        "write @ as %40",
    ),
    ("u:x/SECRET@127.0.0.2:PORT/d", UNREADABLE, "/ as %2F"),
    ("u:SECRET/x@127.0.0.2:PORT/d", UNREADABLE, "/ as %2F"),
    ("u:SECRET?x@127.0.0.2:PORT/d", UNREADABLE, "? as %3F"),
    (
        "u:1?SECRET=1@127.0.0.2:PORT/d",
        UNREADABLE,
        "it is not shown",
    ),
    (
        "u:SECRET@127.0.0.1:PORT/d?sslcert=/etc/passwd",
        REFUSED,
        "\"sslcert\" is not available",
    ),
    (
        "u:SECRET@127.0.0.1:PORT/d?options=-B%205",
        REFUSED,
        "takes settings only",
    ),
    (
        "u:SECRET@127.0.0.1:PORT/d?nonsense",
        UNREADABLE,
        "missing key/value separator",
    ),
];

/// What is more than the limits allow.
fn long(port: u16) -> [(String, &'static str, &'static str); 3] {
    let login = format!("user=u password={PASSWORD} port={port}");
    [
        (
            format!(
                "{login} host=127.0.0.2 application_name={}",
                "a".repeat(9000)
            ),
            UNREADABLE,
            "connection_string_bytes = 8192",
        ),
        (
            format!("{login} {}", "host=127.0.0.2 ".repeat(70)),
            UNREADABLE,
            "connection_pairs = 64",
        ),
        (
            format!("{login} host={}", ["127.0.0.2"; 9].join(",")),
            UNREADABLE,
            "connection_hosts = 8",
        ),
    ]
}
