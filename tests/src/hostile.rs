//! Connectors written in WebAssembly text, for tests of what the sandbox withstands.

mod image;

pub use image::Answer;

use airlock::plan::{
    Access, Arguments, Command, Manifest, Parameter, ParameterKind, Plan, Reply, RowShape,
    Statement,
};
use image::{Image, START};
use std::fmt::Write as _;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The contract, as text.
pub const WIT: &str = include_str!("../../wit/connector.wit");

/// Size of a page of memory in bytes.
const PAGE: usize = 1 << 16;

/// A connector that behaves well but for what a test changes. It is called `hostile` and has one
/// command, `C`, that reads `SELECT 1`.
///
/// Code and fields are core WebAssembly text. They may use the globals `$manifest` and `$answer`, the
/// addresses of what is answered; `$first_command`, `$statement` and `$sql`, functions that give the
/// addresses of the first command, the first statement and its text; and the first 64 bytes of memory.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The contract that it is made for.
    pub wit: String,
    /// What `describe` answers.
    pub manifest: Manifest,
    /// What `plan` and `resume` answer.
    pub answer: Answer,
    /// Code that `describe` runs before it answers.
    pub describe: String,
    /// Code that `plan` runs before it answers. Its locals are `$command`, `$command_bytes`, `$input`
    /// and `$input_bytes`.
    pub plan: String,
    /// Code that runs before memory is given out for the arguments of a call.
    pub allocate: String,
    /// Fields of the core module beside its own: imports first, then globals, tables, functions.
    pub fields: String,
    /// Parts of the component behind its own, as component text. They cannot name what is its own.
    pub parts: String,
    /// Pages of memory beyond those that the answers take.
    pub pages: usize,
}

impl Default for Guest {
    fn default() -> Self {
        Guest {
            wit: WIT.into(),
            manifest: manifest(),
            answer: Answer::Plan(plan("SELECT 1")),
            describe: String::new(),
            plan: String::new(),
            allocate: String::new(),
            fields: String::new(),
            parts: String::new(),
            pages: 1,
        }
    }
}

impl Guest {
    /// Answers this plan.
    #[must_use]
    pub fn answering(plan: Plan) -> Guest {
        Guest {
            answer: Answer::Plan(plan),
            ..Guest::default()
        }
    }

    /// Describes itself by this manifest.
    #[must_use]
    pub fn described_by(manifest: Manifest) -> Guest {
        Guest {
            manifest,
            ..Guest::default()
        }
    }

    /// Runs this code when it plans.
    #[must_use]
    pub fn planning(code: impl Into<String>) -> Guest {
        Guest {
            plan: code.into(),
            ..Guest::default()
        }
    }

    /// Runs this code when it describes itself.
    #[must_use]
    pub fn describing(code: impl Into<String>) -> Guest {
        Guest {
            describe: code.into(),
            ..Guest::default()
        }
    }

    /// Has this name.
    #[must_use]
    pub fn called(mut self, name: &str) -> Guest {
        self.manifest.name = name.into();
        self
    }

    /// Declares its commands with this access.
    #[must_use]
    pub fn declaring(mut self, access: Access) -> Guest {
        for command in &mut self.manifest.commands {
            command.access = access;
        }
        self
    }

    /// Has these fields in its core module.
    #[must_use]
    pub fn with_fields(self, fields: impl Into<String>) -> Guest {
        Guest {
            fields: fields.into(),
            ..self
        }
    }

    /// Has these parts beside its core module.
    #[must_use]
    pub fn with_parts(self, parts: impl Into<String>) -> Guest {
        Guest {
            parts: parts.into(),
            ..self
        }
    }

    /// The component.
    #[must_use]
    pub fn component(&self) -> Vec<u8> {
        let mut module = wat::parse_str(self.module()).unwrap();
        let mut contract = Resolve::default();
        let package = contract.push_source("connector.wit", &self.wit).unwrap();
        let world = contract.select_world(&[package], None).unwrap();
        let encoding = StringEncoding::UTF8;
        embed_component_metadata(&mut module, &contract, world, encoding, false).unwrap();
        let mut encoder = ComponentEncoder::default();
        let mut component = encoder.module(&module).unwrap().encode().unwrap();
        component.extend(sections(&self.parts));
        component
    }

    fn module(&self) -> String {
        let mut image = Image::default();
        let manifest = image.manifest(&self.manifest);
        let answer = image.answer(&self.answer);
        let heap = image.end();
        let pages = self.pages + (START + image.bytes.len()).div_ceil(PAGE);
        let bytes = escaped(&image.bytes);
        let Guest {
            describe,
            plan,
            allocate,
            fields,
            ..
        } = self;
        format!(
            r#"(module
              {fields}
              (memory (export "memory") {pages})
              (data (i32.const {START}) "{bytes}")
              (global $manifest i32 (i32.const {manifest}))
              (global $answer i32 (i32.const {answer}))
              (global $heap (mut i32) (i32.const {heap}))
              (func $first_command (result i32) (i32.load offset=24 (global.get $manifest)))
              (func $statement (result i32) (i32.load offset=4 (global.get $answer)))
              (func $sql (result i32) (i32.load (call $statement)))
              (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
                {allocate}
                (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8))
                (global.set $heap (i32.add (i32.add (global.get $heap) (i32.const 7)) (local.get $bytes))))
              (func (export "describe") (result i32)
                {describe}
                (global.get $manifest))
              (func (export "plan") (param $command i32) (param $command_bytes i32)
                (param $input i32) (param $input_bytes i32) (result i32)
                {plan}
                (global.get $answer))
              (func (export "resume") (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
                (global.get $answer)))"#
        )
    }
}

/// The manifest of a [`Guest`].
#[must_use]
pub fn manifest() -> Manifest {
    Manifest {
        name: "hostile".into(),
        version: "1.0.0".into(),
        summary: "Behaves well.".into(),
        commands: vec![command("C", Access::Read)],
    }
}

/// A command with a connection parameter and `p`, of which every member is sealed.
#[must_use]
pub fn command(name: &str, access: Access) -> Command {
    Command {
        name: name.into(),
        summary: "Reads one.".into(),
        access,
        raw: false,
        parameters: vec![
            parameter("database_connection_str", ParameterKind::Connection, &[]),
            parameter("p", ParameterKind::Any, &["/*"]),
        ],
        errors: Vec::new(),
        example: "{}".into(),
    }
}

/// An optional parameter.
#[must_use]
pub fn parameter(name: &str, kind: ParameterKind, sealed: &[&str]) -> Parameter {
    Parameter {
        name: name.into(),
        kind,
        required: false,
        summary: "Anything.".into(),
        schema: None,
        sealed: sealed.iter().map(|&pattern| pattern.into()).collect(),
    }
}

/// A plan that reads the rows of one statement.
#[must_use]
pub fn plan(sql: &str) -> Plan {
    Plan {
        statements: vec![statement(sql, Access::Read)],
        reply: Reply::Rows(RowShape::Arrays),
    }
}

/// A statement without arguments.
#[must_use]
pub fn statement(sql: &str, access: Access) -> Statement {
    Statement {
        sql: sql.into(),
        arguments: Arguments::None,
        access,
        max_affected: None,
    }
}

/// The sections of a component with these parts, to stand behind those of another one.
fn sections(parts: &str) -> Vec<u8> {
    const HEADER_BYTES: usize = 8;
    let component = wat::parse_str(format!("(component {parts})")).unwrap();
    component[HEADER_BYTES..].to_vec()
}

/// `bytes` as a string of WebAssembly text.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "\\{byte:02x}").unwrap();
        text
    })
}
