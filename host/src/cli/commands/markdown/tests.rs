use super::super::outline;
use super::write;
use airlock::plan::{Access, Command, Parameter, ParameterKind};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

fn parameter(kind: ParameterKind, schema: &Value) -> Parameter {
    Parameter {
        name: "schema".into(),
        kind,
        required: true,
        summary: "What to do.".into(),
        schema: Some(schema.to_string()),
        sealed: vec!["/values".into()],
    }
}

fn command(parameters: Vec<Parameter>) -> Command {
    Command {
        name: "Insert".into(),
        summary: "Inserts rows.".into(),
        access: Access::Write,
        raw: false,
        parameters,
        errors: vec![("KeyError".into(), "A key is missing. Add it.".into())],
        example: r#"{"schema": {"columns": ["a"]}}"#.into(),
    }
}

fn written(name: &str, summary: &str, command: &Command) -> String {
    let mut out = Vec::new();
    write(&mut out, name, summary, [command].into_iter()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_command_is_a_section() {
    let schema = json!({
        "type": "object",
        "required": ["values", "columns"],
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}, "description": "Names, such as `a`."},
            "rows": {"$ref": "#/$defs/Rows", "description": "Their shape."},
            "force": {"type": "boolean", "default": false, "description": "Whether it is forced."},
            "where": {"$ref": "#/$defs/Where"},
            "on_conflict": {"anyOf": [{"$ref": "#/$defs/Conflict"}, {"type": "null"}]},
            "values": {"type": "array", "items": {"type": "array", "items": true}},
        },
        "$defs": {
            "Rows": {"oneOf": [{"const": "arrays"}, {"const": "objects"}]},
            "Conflict": {"type": "object", "description": "A conflict.", "properties": {"update": {"type": ["array", "null"]}}},
            "Where": {"type": "array", "description": "Conditions.", "items": {"anyOf": [
                {"type": "array", "description": "Column and value.", "minItems": 1,
                 "prefixItems": [{"type": "string"}, {"description": "Any."}]},
                {"type": "object", "properties": {"or": {"$ref": "#/$defs/Where"}}},
            ]}},
        },
    });
    let connection = Parameter {
        name: "database".into(),
        kind: ParameterKind::Connection,
        summary: "Where.".into(),
        schema: None,
        ..parameter(ParameterKind::Any, &json!(true))
    };
    let command = command(vec![connection, parameter(ParameterKind::Any, &schema)]);
    let expected = r#"## notes

Keeps notes.

### Insert

Inserts rows.

Access: `write`.

| parameter | kind | required | default | meaning |
| --- | --- | --- | --- | --- |
| `database` | connection | yes | | Where. |
| `schema` | object | yes | | What to do. |
| `schema.columns` | list of texts | yes | | Names, such as `a`. |
| `schema.values` | list of lists | yes | | |
| `schema.rows` | `"arrays"` or `"objects"` | | | Their shape. |
| `schema.force` | boolean | | `false` | Whether it is forced. |
| `schema.where` | list of lists or objects | | | Conditions. |
| `schema.where[]` | list | | | Column and value. |
| `schema.where[][0]` | text | yes | | |
| `schema.where[][1]` | any | | | Any. |
| `schema.where[]` | object | | | |
| `schema.where[].or` | list of lists or objects | | | Conditions. |
| `schema.on_conflict` | object | | | A conflict. |
| `schema.on_conflict.update` | list | | | |

```json
{"schema": {"columns": ["a"]}}
```

| error code | meaning |
| --- | --- |
| `KeyError` | A key is missing. Add it. |
"#;
    assert_eq!(written("notes", "Keeps notes.", &command), expected);
}

/// What words can try, at the start of a line, in it, and in the type of code.
const HOSTILE: &str = "- <script>alert(1)</script> | `<b>` | ``` [a](http://evil.example) ![i](x) *b* __b__ ~~s~~ \
                       &lt; &#60; <!-- c --> {{#include /etc/passwd}} $x$ # h\r\n\r\n# h\n| a | b |\n***\n\n\t    code\n> q\n1. l\\";

/// As the parser gives it back: one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn words_of_connectors_stay_words() {
    for hostile in [
        HOSTILE,
        "1. a",
        "12) a",
        "+ a",
        "= a",
        "> a",
        "# a",
        "a ##",
        "### a {#b .c}",
        "a\n===\nb",
        "`a | b`",
        "`a",
        "``",
        "`{{#include x}}`",
        "<http://evil.example>",
        "\\` \\| \\\\|",
        "_a_ b__c__ a_b",
    ] {
        let schema = json!({"type": "object", "description": hostile, "properties": {
            (hostile): {"const": hostile, "description": hostile, "default": hostile},
        }});
        let mut command = command(vec![Parameter {
            name: hostile.into(),
            summary: hostile.into(),
            ..parameter(ParameterKind::Any, &schema)
        }]);
        command.name = hostile.into();
        command.summary = hostile.into();
        command.errors = vec![(hostile.into(), hostile.into())];
        command.example = json!({"a": hostile}).to_string();
        let text = written(hostile, hostile, &command);
        assert!(!text.contains("{{"), "{text}");
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH;
        let (mut shown, mut kinds) = (vec![String::new()], Vec::new());
        for event in Parser::new_ext(&text, options) {
            match event {
                Event::Text(words) | Event::Code(words) => {
                    shown.last_mut().unwrap().push_str(&words)
                }
                Event::Start(tag) => {
                    shown.push(String::new());
                    kinds.push(match tag {
                        Tag::Heading { .. } => 'h',
                        Tag::Paragraph => 'p',
                        Tag::Table(_) => 't',
                        Tag::TableHead => 'H',
                        Tag::TableRow => 'r',
                        Tag::TableCell => 'c',
                        Tag::CodeBlock(_) => 'j',
                        other => panic!("{hostile:?} became {other:?} in\n{text}"),
                    });
                }
                Event::End(
                    TagEnd::TableCell | TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock,
                ) => {}
                Event::End(_) => {}
                other => panic!("{hostile:?} became {other:?} in\n{text}"),
            }
        }
        let kinds: String = kinds.into_iter().collect();
        assert_eq!(kinds, "hphpptHcccccrcccccrcccccjtHccrcc", "{text}");
        let words = flat(hostile);
        let as_shown = shown.iter().filter(|shown| {
            let shown = flat(shown);
            shown == words || (!shown.is_empty() && shown == words.replace('`', ""))
        });
        assert_eq!(as_shown.count(), 9, "{hostile:?}: {shown:#?} in\n{text}");
    }
}

#[test]
fn examples_read_the_same_and_hold_no_directive() {
    let mut command = command(Vec::new());
    command.example = json!({"a": {"b": "{{#include x}}"}}).to_string();
    let text = written("c", "", &command);
    let (_, block) = text.split_once("```json\n").unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    assert!(!block.contains("{{"), "{block}");
    let read: Value = serde_json::from_str(block).unwrap();
    assert_eq!(read, json!({"a": {"b": "{{#include x}}"}}));
    command.example = "no JSON\n```\n# h".into();
    assert!(!written("c", "", &command).contains("```"));
}

#[test]
fn schemas_without_end_are_cut_off() {
    let wide: serde_json::Map<String, Value> = (0..200)
        .map(|at| (format!("p{at}"), json!({"$ref": "#"})))
        .collect();
    let fan = json!({"$ref": "#/$defs/a"});
    for schema in [
        json!({"$ref": "#"}),
        json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}),
        json!({"type": "object", "properties": {"a": {"$ref": "#"}}}),
        json!({"type": "object", "properties": wide}),
        json!({"items": {"$ref": "#"}, "type": "array", "prefixItems": [{"$ref": "#"}, {"$ref": "#"}]}),
        json!({"anyOf": vec![fan; 100], "$defs": {"a": {"anyOf": vec![json!({"$ref": "#"}); 100]}}}),
        json!("no schema"),
    ] {
        let rows = outline::rows(&parameter(ParameterKind::Any, &schema));
        assert!((1..=2_000).contains(&rows.len()), "{schema}");
        assert!(
            rows.iter()
                .all(|row| row.name.matches(['.', '[']).count() < 12)
        );
    }
}
