//! Puts statements and plans together.

use crate::{Access, Argument, Arguments, Batch, Plan, Reply, RowShape, Sql, Statement};

impl Statement {
    /// A statement that runs once.
    #[must_use]
    pub fn once(sql: Sql, access: Access) -> Statement {
        let (sql, arguments) = sql.into_parts();
        let arguments = match arguments.is_empty() {
            true => Arguments::None,
            false => Arguments::Once(arguments),
        };
        Statement {
            sql,
            arguments,
            access,
            max_affected: None,
        }
    }

    /// A statement that runs once for each row of the array that `rows` points to.
    #[must_use]
    pub fn each(sql: Sql, rows: &str, access: Access) -> Statement {
        let (sql, arguments): (String, Vec<Argument>) = sql.into_parts();
        let batch = Batch {
            rows: rows.into(),
            width: arguments.len() as u32,
        };
        Statement {
            sql,
            arguments: Arguments::Each(batch),
            access,
            max_affected: None,
        }
    }
}

impl Plan {
    /// One statement that only reads. Its rows are the reply, as objects by the names of its columns.
    #[must_use]
    pub fn read(sql: Sql) -> Plan {
        Plan {
            statements: vec![Statement::once(sql, Access::Read)],
            reply: Reply::Rows(RowShape::Objects),
        }
    }

    /// One statement that only reads. The call goes on with `resume`, which gets `state` and its rows.
    #[must_use]
    pub fn ask(sql: Sql, state: impl Into<Vec<u8>>) -> Plan {
        Plan {
            statements: vec![Statement::once(sql, Access::Read)],
            reply: Reply::Resume(state.into()),
        }
    }

    /// No statement: this JSON text is the reply.
    #[must_use]
    pub fn answer(json: impl Into<String>) -> Plan {
        Plan {
            statements: Vec::new(),
            reply: Reply::Json(json.into()),
        }
    }
}
