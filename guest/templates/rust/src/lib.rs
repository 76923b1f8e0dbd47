//! The `{{name}}` connector: keeps notes in the table `notes`.
//!
//! It plans and does nothing else: SQL text, and pointers to the values that fill it. Airlock runs the
//! plan. `cargo doc --open -p airlock-connector` shows what plans are made of.

use airlock_connector::{
    Access, Argument, Call, Command, Connector, ErrorDoc, Failure, Manifest, Parameter,
    ParameterKind, Plan, Reply, RowShape, Sealed, Sql, Statement, params,
};
use serde::Deserialize;

struct Notes;

airlock_connector::export!(Notes);

impl Connector for Notes {
    fn describe() -> Manifest {
        Manifest {
            name: "{{name}}".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Keeps notes.".into(),
            commands: vec![
                Command {
                    name: "AddNote".into(),
                    summary: "Adds a note; gives its id.".into(),
                    access: Access::Write,
                    raw: false,
                    parameters: vec![connection(), text(), pinned()],
                    errors: vec![],
                    example: r#"{"text": "Buy milk", "pinned": true}"#.into(),
                },
                Command {
                    name: "FindNotes".into(),
                    summary: "Finds notes, at most 100.".into(),
                    access: Access::Read,
                    raw: false,
                    parameters: vec![connection(), contains(), order()],
                    errors: vec![ErrorDoc {
                        code: "UnknownOrder".into(),
                        summary: "order is neither newest nor oldest. Use one of them.".into(),
                    }],
                    example: r#"{"contains": "milk", "order": "oldest"}"#.into(),
                },
            ],
        }
    }

    fn plan(call: Call) -> Result<Plan, Failure> {
        match call.command.as_str() {
            "AddNote" => add_note(&call),
            "FindNotes" => find_notes(&call),
            other => Err(Failure::parameters(
                "command_not_found",
                format!("there is no command {other}"),
            )),
        }
    }
}

fn connection() -> Parameter {
    Parameter::required(
        "database_connection_str",
        ParameterKind::Connection,
        "Connection string, or name of a database.",
    )
}

/// "" seals the whole parameter: the connector sees its kind, such as `string`, and not the value.
fn text() -> Parameter {
    Parameter::required("text", ParameterKind::Text, "The note.")
        .with_schema::<String>()
        .sealing(&[""])
}

fn pinned() -> Parameter {
    let summary = "Whether the note comes before others.";
    optional(Parameter::required("pinned", ParameterKind::Boolean, summary).with_schema::<bool>())
}

fn contains() -> Parameter {
    let summary = "Only notes with this in their text, whatever its case.";
    let contains = Parameter::required("contains", ParameterKind::Text, summary);
    optional(contains.with_schema::<String>().sealing(&[""]))
}

fn order() -> Parameter {
    let summary = "newest, unless it is oldest.";
    optional(Parameter::required("order", ParameterKind::Text, summary).with_schema::<String>())
}

fn optional(parameter: Parameter) -> Parameter {
    Parameter {
        required: false,
        ..parameter
    }
}

#[derive(Deserialize)]
struct AddNote {
    #[serde(default)]
    pinned: bool,
}

fn add_note(call: &Call) -> Result<Plan, Failure> {
    let AddNote { pinned } = params::parse(call)?;
    let sql = Sql::new("INSERT INTO notes (text, pinned) VALUES (")
        .argument(Argument::Input("/text".into()))
        .text(", ")
        .argument(Argument::Literal(pinned.to_string()))
        .text(") RETURNING id");
    Ok(Plan {
        statements: vec![Statement::once(sql, Access::Write)],
        reply: Reply::Rows(RowShape::Objects),
    })
}

#[derive(Deserialize)]
struct FindNotes {
    contains: Option<Sealed>,
    order: Option<String>,
}

fn find_notes(call: &Call) -> Result<Plan, Failure> {
    let FindNotes { contains, order } = params::parse(call)?;
    let direction = match order.as_deref() {
        None | Some("newest") => "DESC",
        Some("oldest") => "ASC",
        Some(_) => {
            let failure = Failure::parameters("UnknownOrder", "order is newest or oldest");
            return Err(failure.at("/order"));
        }
    };
    let mut sql = Sql::new("SELECT id, text, pinned FROM notes");
    if contains.is_some() {
        sql = sql
            .text(" WHERE strpos(lower(text), lower(")
            .argument(Argument::Input("/contains".into()))
            .text(")) > 0");
    }
    let sql = sql
        .text(" ORDER BY pinned DESC, id ")
        .text(direction)
        .text(" LIMIT 100");
    Ok(Plan {
        statements: vec![Statement::once(sql, Access::Read)],
        reply: Reply::Rows(RowShape::Objects),
    })
}
