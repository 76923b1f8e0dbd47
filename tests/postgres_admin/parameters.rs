//! What the manifest says of parameters is what the connector does with them, in the sandbox.

use airlock::connector::Connector;
use airlock::fault::{Fault, Kind};
use airlock::plan::{Arguments, ParameterKind, Plan};
use airlock::{Limits, Parameters, Policy, Runtime};
use airlock_tests::POSTGRES_ADMIN;
use serde_json::{Map, Value, json};
use std::sync::Arc;

fn load() -> (Runtime, Arc<Connector>) {
    let runtime = Runtime::empty(Limits::default()).unwrap();
    let connector = runtime.load(POSTGRES_ADMIN, Policy::default()).unwrap();
    (runtime, connector)
}

/// Seals a call as the host does, and plans it. Gives what the connector saw, too.
fn plan(connector: &Connector, command: &str, call: &Value) -> (String, Result<Plan, Fault>) {
    let spec = &connector.commands()[connector.position(command).unwrap()];
    let Value::Object(call) = call.clone() else {
        panic!("{call}");
    };
    let call = Parameters::from(call).with("database_connection_str", "".into());
    match spec.call(call) {
        Ok(call) => (
            call.sealed().to_owned(),
            connector.plan(command, call.sealed()),
        ),
        Err(fault) => (String::new(), Err(fault)),
    }
}

#[test]
fn it_imports_nothing() {
    let (_runtime, connector) = load();
    assert!(connector.is_pure());
    assert_eq!(connector.name(), "postgres_admin");
}

/// Any value fits the JSON Schema of its parameter exactly where the connector takes it.
#[test]
fn schemas_say_what_is_taken() {
    let (_runtime, connector) = load();
    let values = json!([
        null, true, false, 0, 1, -1, 5.0, 1.5, 60, 100_000, 100_001, 31_536_001, 1e300, -1e300, u64::MAX, "", "x",
        "table", "active", "json", "total", "unique", "SELECT 1", [], ["table"], ["active", "idle"], ["unique"],
        ["table", null], [1], [null], ["x"], [["table"]], {}, {"table": true}
    ]);
    let (mut taken, mut refused) = (0, 0);
    for spec in connector.commands() {
        let command = &spec.command;
        let example: Map<String, Value> = serde_json::from_str(&command.example).unwrap();
        for parameter in &command.parameters {
            if parameter.kind == ParameterKind::Connection {
                continue;
            }
            let schema: Value = serde_json::from_str(parameter.schema.as_deref().unwrap()).unwrap();
            assert_eq!(schema["description"], parameter.summary.as_str());
            let validator = jsonschema::validator_for(&schema).unwrap();
            if let Some(default) = schema.get("default") {
                assert!(validator.is_valid(default), "{}", parameter.name);
            }
            for value in values.as_array().unwrap() {
                let mut call = example.clone();
                call.insert(parameter.name.clone(), value.clone());
                let (_, planned) = plan(&connector, &command.name, &call.into());
                // A statement can be refused for what it says, not for what it is.
                let accepted = match &planned {
                    Ok(_) => true,
                    Err(fault) if fault.kind == Kind::Statement => true,
                    Err(fault) => {
                        assert_eq!(fault.kind, Kind::Parameters, "{fault:?}");
                        false
                    }
                };
                taken += usize::from(accepted);
                refused += usize::from(!accepted);
                let valid = validator.is_valid(value);
                assert_eq!(
                    accepted, valid,
                    "{} {} {value}: {planned:?}",
                    command.name, parameter.name
                );
            }
            let mut without = example.clone();
            without.remove(&parameter.name);
            let (_, planned) = plan(&connector, &command.name, &without.into());
            let missing = matches!(&planned, Err(fault) if fault.kind == Kind::Parameters);
            assert_eq!(
                missing, parameter.required,
                "{} {}",
                command.name, parameter.name
            );
        }
    }
    assert!(taken > 200 && refused > 500, "{taken} {refused}");
}

/// The connector sees no name, so calls that differ in names have one plan.
#[test]
fn equal_shapes_have_equal_plans() {
    let (_runtime, connector) = load();
    for (command, one, other) in [
        (
            "ListTables",
            json!({"schema": "canary_one", "pattern": "a%"}),
            json!({"schema": "b\"; --", "pattern": ""}),
        ),
        (
            "ListColumns",
            json!({"table": "canary_one"}),
            json!({"table": "other"}),
        ),
        (
            "DescribeTable",
            json!({"table": "canary_one"}),
            json!({"table": "o"}),
        ),
        (
            "ExplainStatement",
            json!({"statement": "SELECT $1, $2", "values": ["canary_one", 1]}),
            json!({"statement": "SELECT $1, $2", "values": ["x", 77777]}),
        ),
        (
            "LongRunningQueries",
            json!({"user": "canary_one"}),
            json!({"user": "u"}),
        ),
    ] {
        let (seen, planned) = plan(&connector, command, &one);
        assert!(!seen.contains("canary"), "{seen}");
        assert_eq!((seen, planned.unwrap()), {
            let (seen, planned) = plan(&connector, command, &other);
            (seen, planned.unwrap())
        });
    }
    // A limit decides nothing either: the text is the same, and what is prepared for one serves all.
    let texts = [1, 99_999].map(|limit| {
        let (_, planned) = plan(&connector, "ListTables", &json!({"limit": limit}));
        let statement = planned.unwrap().statements.remove(0);
        assert!(matches!(statement.arguments, Arguments::Once(arguments) if arguments.len() == 1));
        statement.sql
    });
    assert_eq!(texts[0], texts[1]);
}
