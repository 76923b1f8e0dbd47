//! A connector that answers what it finds of the world by WASI. Each command is an attempt.
#![forbid(unsafe_code)]

mod standard;
mod waiting;

use airlock_connector::{
    Access, Call, Command, Connector, Failure, Manifest, Outcome, Parameter, ParameterKind, Plan,
    Reply,
};
use serde_json::Value;

/// The connector.
pub struct Probe;

/// Tries something, and tells what came of it.
type Attempt = fn() -> Value;

/// The parameter with which nothing is tried, so that the examples do no harm.
const REHEARSAL: &str = "rehearsal";

/// The commands.
const COMMANDS: [(&str, Attempt); 13] = [
    ("Time", standard::time),
    ("Chance", standard::chance),
    ("World", standard::world),
    ("Print", standard::print),
    ("Flood", standard::flood),
    ("Exit", standard::exit),
    ("ExitWell", standard::exit_well),
    ("Panic", standard::panic),
    ("Poll", waiting::poll),
    ("PollNothing", waiting::poll_nothing),
    ("Streams", waiting::streams),
    ("Numbers", waiting::numbers),
    ("Http", waiting::http),
];

impl Connector for Probe {
    fn describe() -> Manifest {
        let connection = Parameter::required(
            "database_connection_str",
            ParameterKind::Connection,
            "Where to.",
        );
        let summary = "Whether nothing is tried.";
        let rehearsal = Parameter {
            required: false,
            ..Parameter::required(REHEARSAL, ParameterKind::Boolean, summary)
        };
        let command = |name: &str| Command {
            name: name.into(),
            summary: "Tries something.".into(),
            access: Access::Read,
            raw: false,
            parameters: vec![connection.clone(), rehearsal.clone()],
            errors: vec![],
            example: format!("{{\"{REHEARSAL}\": true}}"),
        };
        Manifest {
            name: "wasi_probe".into(),
            version: "1.0.0".into(),
            summary: "Answers what it finds of the world.".into(),
            commands: COMMANDS.iter().map(|(name, _)| command(name)).collect(),
        }
    }

    fn plan(call: Call) -> Result<Plan, Failure> {
        if call.input.contains(REHEARSAL) {
            return answer(&Value::Null);
        }
        let found = COMMANDS.iter().find(|(name, _)| *name == call.command);
        answer(&found.map_or(Value::Null, |(_, attempt)| attempt()))
    }

    fn resume(_: Call, _: Vec<u8>, _: Vec<Outcome>) -> Result<Plan, Failure> {
        answer(&Value::Null)
    }
}

fn answer(seen: &Value) -> Result<Plan, Failure> {
    Ok(Plan {
        statements: vec![],
        reply: Reply::Json(seen.to_string()),
    })
}

airlock_connector::export!(Probe);
