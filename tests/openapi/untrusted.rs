//! What connectors say of themselves does not spoil the document for the others.

use super::{commands, complaint, document, validator};
use airlock::plan::{Command, ParameterKind};
use airlock_tests::hostile::{Guest, manifest, parameter, plan};
use airlock_tests::world::World;
use serde_json::{Value, json};

/// A command whose parameter `name` has this schema.
fn command(name: &str, parameter_name: &str, schema: impl ToString) -> Command {
    let mut told = parameter(parameter_name, ParameterKind::Any, &[]);
    told.schema = Some(schema.to_string());
    Command {
        parameters: vec![told],
        ..airlock_tests::hostile::command(name, airlock::plan::Access::Read)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_stay_within_themselves() {
    let mut deep = json!({"type": "integer"});
    for _ in 0..120 {
        deep = json!({"items": deep});
    }
    let mut spoiling = manifest();
    spoiling.summary = "</script><script>alert(1)</script>".into();
    spoiling.commands = vec![
        command(
            "Elsewhere",
            "p",
            json!({"$ref": "http://127.0.0.1:1/schema.json"}),
        ),
        command(
            "Files",
            "p",
            json!({"$id": "file:///etc/", "$ref": "passwd"}),
        ),
        command(
            "Nowhere",
            "p",
            json!({"properties": {"a": {"$ref": "#/$defs/Missing"}}}),
        ),
        command("Deep", "p", &deep),
        command("Text", "p", "no JSON"),
        command("Number", "p", "7"),
        command(
            "Hidden",
            "p",
            json!({"const": {"$ref": "http://127.0.0.1:1/schema.json"}}),
        ),
        command(
            "Odd",
            "a/b~c \"#%\u{1f600}",
            json!({"$ref": "#/$defs/A", "$defs": {"A": {"type": "integer"}}}),
        ),
        command(
            "Recursive",
            "p",
            json!({"type": "array", "items": {"$ref": "#"}}),
        ),
    ];
    let guest = Guest {
        manifest: spoiling,
        ..Guest::answering(plan("SELECT 1"))
    };
    let component = guest.component();
    let binary = env!("CARGO_BIN_EXE_airlock");
    let world = World::start(binary, "", &[("hostile.wasm", &component)], &[]).await;
    let document = document(&world.server).await;
    assert_eq!(complaint(&document), "");
    let text = document.to_string();
    for leak in ["127.0.0.1:1", "file:", "passwd", "Missing"] {
        assert!(!text.contains(leak), "{leak}");
    }
    let commands = commands(&document);
    assert_eq!(commands.len(), 9 + 7, "{}", world.server.log());
    let takes = |command: &str, body: &Value| {
        validator(&document, &commands[&format!("hostile/{command}")]).is_valid(body)
    };
    let odd = |value: Value| json!({"a/b~c \"#%\u{1f600}": value});
    assert!(takes("Odd", &odd(json!(7))) && !takes("Odd", &odd(json!("7"))));
    assert!(takes("Recursive", &json!({"p": [[], [[]]]})));
    assert!(!takes("Recursive", &json!({"p": [[7]]})));
    assert!(takes("Deep", &json!({"p": "anything"})));
}
