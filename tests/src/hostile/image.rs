//! Records of the contract in linear memory, as the canonical ABI lays them out.
//!
//! Every function gives the bytes of one record and puts what the record points at into memory. Nothing
//! is checked: what the records say is up to the test.

use airlock::plan::{
    Argument, Arguments, Command, Manifest, Parameter, Plan, Reply, RowShape, Statement,
};

/// Where the image begins: connectors have the bytes below for themselves.
pub(super) const START: usize = 64;

/// What `plan` and `resume` answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A plan.
    Plan(Plan),
    /// A failure of the stage `parameters`.
    Failure {
        /// Its code.
        code: String,
        /// What is wrong.
        message: String,
        /// Where.
        pointer: Option<String>,
    },
}

/// Memory from [`START`] on.
#[derive(Default)]
pub(super) struct Image {
    pub(super) bytes: Vec<u8>,
}

impl Image {
    /// Puts `bytes` at an address that suits every type.
    fn put(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let address = self.end();
        self.bytes.extend_from_slice(bytes);
        address
    }

    /// The first address behind everything.
    pub(super) fn end(&self) -> u32 {
        u32::try_from(START + self.bytes.len()).unwrap()
    }

    /// Address of a manifest.
    pub(super) fn manifest(&mut self, manifest: &Manifest) -> u32 {
        let commands = manifest
            .commands
            .iter()
            .map(|command| self.command(command));
        let commands = commands.collect();
        let record = [
            self.text(&manifest.name),
            self.text(&manifest.version),
            self.text(&manifest.summary),
            self.list(commands),
        ];
        self.put(&record.concat())
    }

    /// Address of a `result<plan, failure>`.
    pub(super) fn answer(&mut self, answer: &Answer) -> u32 {
        let (discriminant, payload) = match answer {
            Answer::Plan(plan) => (0, self.plan(plan)),
            Answer::Failure {
                code,
                message,
                pointer,
            } => (1, self.failure(code, message, pointer.as_deref())),
        };
        let mut record = [word(discriminant).to_vec(), payload].concat();
        record.resize(36, 0);
        self.put(&record)
    }

    fn text(&mut self, text: &str) -> Vec<u8> {
        let address = self.put(text.as_bytes());
        [word(address), length(text.len())].concat()
    }

    fn optional_text(&mut self, text: Option<&str>) -> Vec<u8> {
        let payload = text.map_or_else(|| vec![0; 8], |text| self.text(text));
        [word(u32::from(text.is_some())).to_vec(), payload].concat()
    }

    fn list(&mut self, items: Vec<Vec<u8>>) -> Vec<u8> {
        let address = self.put(&items.concat());
        [word(address), length(items.len())].concat()
    }

    fn command(&mut self, command: &Command) -> Vec<u8> {
        let parameters = command.parameters.iter().map(|one| self.parameter(one));
        let parameters = parameters.collect();
        let errors = command.errors.iter();
        let errors = errors
            .map(|(code, summary)| [self.text(code), self.text(summary)].concat())
            .collect();
        [
            self.text(&command.name),
            self.text(&command.summary),
            vec![command.access as u8, u8::from(command.raw), 0, 0],
            self.list(parameters),
            self.list(errors),
            self.text(&command.example),
        ]
        .concat()
    }

    fn parameter(&mut self, parameter: &Parameter) -> Vec<u8> {
        let sealed = parameter.sealed.iter().map(|pattern| self.text(pattern));
        let sealed = sealed.collect();
        [
            self.text(&parameter.name),
            vec![parameter.kind as u8, u8::from(parameter.required), 0, 0],
            self.text(&parameter.summary),
            self.optional_text(parameter.schema.as_deref()),
            self.list(sealed),
        ]
        .concat()
    }

    fn plan(&mut self, plan: &Plan) -> Vec<u8> {
        let statements = plan.statements.iter().map(|one| self.statement(one));
        let statements = statements.collect();
        [self.list(statements), self.reply(&plan.reply)].concat()
    }

    fn statement(&mut self, statement: &Statement) -> Vec<u8> {
        let most = statement.max_affected;
        [
            self.text(&statement.sql),
            self.arguments(&statement.arguments),
            u64::from(statement.access as u8).to_le_bytes().to_vec(),
            u64::from(most.is_some()).to_le_bytes().to_vec(),
            most.unwrap_or(0).to_le_bytes().to_vec(),
        ]
        .concat()
    }

    fn arguments(&mut self, arguments: &Arguments) -> Vec<u8> {
        let (discriminant, payload) = match arguments {
            Arguments::None => (0, Vec::new()),
            Arguments::Once(arguments) => {
                let arguments = arguments.iter().map(|one| self.argument(one)).collect();
                (1, self.list(arguments))
            }
            Arguments::Each(batch) => {
                let rows = self.text(&batch.rows);
                (2, [rows, word(batch.width).to_vec()].concat())
            }
        };
        let mut record = [word(discriminant).to_vec(), payload].concat();
        record.resize(16, 0);
        record
    }

    fn argument(&mut self, argument: &Argument) -> Vec<u8> {
        let (discriminant, text) = match argument {
            Argument::Input(pointer) => (0, pointer),
            Argument::Literal(text) => (1, text),
        };
        [word(discriminant).to_vec(), self.text(text)].concat()
    }

    fn reply(&mut self, reply: &Reply) -> Vec<u8> {
        let (discriminant, payload) = match reply {
            Reply::Rows(RowShape::Arrays) => (0, vec![0; 8]),
            Reply::Rows(RowShape::Objects) => (0, vec![1, 0, 0, 0, 0, 0, 0, 0]),
            Reply::Affected => (1, vec![0; 8]),
            Reply::Json(text) => (2, self.text(text)),
            Reply::Resume(state) => {
                let address = self.put(state);
                (3, [word(address), length(state.len())].concat())
            }
        };
        [word(discriminant).to_vec(), payload].concat()
    }

    fn failure(&mut self, code: &str, message: &str, pointer: Option<&str>) -> Vec<u8> {
        [
            self.text(code),
            self.text(message),
            self.optional_text(pointer),
            word(0).to_vec(),
        ]
        .concat()
    }
}

fn word(value: u32) -> [u8; 4] {
    value.to_le_bytes()
}

fn length(length: usize) -> [u8; 4] {
    word(u32::try_from(length).unwrap())
}
