//! `airlock demo`: the guide's user registration, each step as call, SQL and reply.

use super::embedded::{self, Embedded};
use super::progress::Progress;
use super::style::{self, Style};
use super::{Ending, Result, async_runtime, connectors, serve};
use airlock::config::Config;
use airlock::plan::{Arguments, Plan};
use airlock::{Parameters, Runtime};
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use std::sync::Arc;

/// One service task of the workflow: why, which command, and its `schema` where it has one.
type Step = (&'static str, &'static str, Option<Value>);

const TABLE: &str = "users";

fn steps() -> [Step; 8] {
    [
        (
            "Make sure that the table exists",
            "CreateTableV2",
            Some(json!({"column_definitions": [
                {"name": "id", "type": "serial PRIMARY KEY"},
                {"name": "name", "type": "varchar(255)"},
                {"name": "email", "type": "varchar(255)"},
                {"name": "phone", "type": "varchar(50)"},
                {"name": "created_at", "type": "timestamp DEFAULT NOW()"},
            ]})),
        ),
        (
            "Store what the registration form collected",
            "InsertValuesV2",
            Some(json!({"columns": ["name", "email", "phone"], "values": [
                ["John Doe", "john@example.com", "555-1234"],
                ["Jane Smith", "jane@example.com", "555-5678"],
            ]})),
        ),
        (
            "Query all users",
            "SelectValuesV2",
            Some(json!({"columns": ["id", "name", "email", "phone", "created_at"]})),
        ),
        (
            "Query one user",
            "SelectValuesV2",
            Some(
                json!({"columns": ["id", "name"], "where": [["email", "=", "john@example.com"]], "rows": "objects"}),
            ),
        ),
        (
            "Update a user's address",
            "UpdateValuesV2",
            Some(
                json!({"columns": ["email"], "values": ["newemail@example.com"], "where": [["name", "=", "John Doe"]]}),
            ),
        ),
        (
            "Ask with SQL",
            "DoSQL",
            Some(
                json!({"sql": "SELECT name, email FROM users WHERE email LIKE %s ORDER BY id", "values": ["%@example.com"], "fetch_results": true}),
            ),
        ),
        (
            "Delete a user",
            "DeleteValuesV2",
            Some(json!({"where": [["email", "=", "jane@example.com"]]})),
        ),
        ("Drop the table", "DropTableV2", None),
    ]
}

/// Runs the steps on a private PostgreSQL; goes on serving where `go_on` asks for it.
pub(super) fn run(go_on: bool) -> Result<Ending> {
    let mut out = io::stdout();
    writeln!(out, "Starting a private PostgreSQL …")?;
    let progress = Progress::of("making a database");
    let embedded = Embedded::start()?;
    drop(progress);
    let deployment = connectors::deploy(embedded.entry().add_to(Config::load(None)?)?)?;
    let runtime = deployment.runtime().clone();
    let tasks = async_runtime()?;
    for connector in runtime.connectors() {
        writeln!(
            out,
            "Loaded {} {} ({})",
            connector.name(),
            connector.version(),
            connector.digest()
        )?;
    }
    let mut complete = true;
    for (at, step) in steps().into_iter().enumerate() {
        complete &= tasks.block_on(show(&mut out, &runtime, at + 1, &step))?;
    }
    if go_on {
        super::logging::start(super::LogFormat::Text);
        embedded.show()?;
        tasks.block_on(serve::listen(Arc::new(deployment), None))?;
    }
    Ok(if complete {
        Ending::Done
    } else {
        Ending::Failed
    })
}

async fn show(
    out: &mut (impl Write + Send),
    runtime: &Runtime,
    number: usize,
    step: &Step,
) -> Result<bool> {
    let (why, command, schema) = step;
    let mut call = Map::new();
    if *command != "DoSQL" {
        call.insert("table_name".into(), TABLE.into());
    }
    if let Some(schema) = schema {
        call.insert("schema".into(), schema.clone());
    }
    let shown = Value::Object(call.clone());
    let (bold, plain) = Style::of(&io::stdout()).around(style::BOLD);
    writeln!(
        out,
        "\n{bold}{number}. {why}{plain}\n   call   {command} {shown}"
    )?;
    let found = runtime.command("postgres_v2", command)?;
    let parameters =
        || found.with_connection(Parameters::from(call.clone()), Some(embedded::NAME.into()));
    write_plan(out, &runtime.plan(&found, parameters()).await?)?;
    let reply = match runtime.run(&found, parameters()).await {
        Ok(reply) => reply.body.collect().await,
        Err(fault) => Err(fault),
    };
    match reply {
        Ok(body) => writeln!(out, "   reply  {}", String::from_utf8_lossy(&body))?,
        Err(fault) => {
            writeln!(out, "   error  {fault}")?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn write_plan(out: &mut impl Write, plan: &Plan) -> io::Result<()> {
    for statement in &plan.statements {
        writeln!(out, "   SQL    {}", statement.sql)?;
        match &statement.arguments {
            Arguments::None => {}
            Arguments::Once(arguments) => {
                for (at, argument) in arguments.iter().enumerate() {
                    writeln!(out, "          ${} = {argument:?}", at + 1)?;
                }
            }
            Arguments::Each(batch) => {
                writeln!(out, "          once for each row of {}", batch.rows)?
            }
        }
    }
    Ok(())
}
