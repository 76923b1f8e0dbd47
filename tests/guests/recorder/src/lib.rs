//! A connector that answers everything it was given: what does not appear in its replies never
//! reached it.
#![forbid(unsafe_code)]

use airlock_connector::{
    Access, Call, Command, Connector, Failure, Manifest, Outcome, Parameter, ParameterKind, Plan,
    Reply, Sql, Statement,
};

/// The connector.
pub struct Recorder;

impl Connector for Recorder {
    fn describe() -> Manifest {
        let connection = Parameter::required(
            "database_connection_str",
            ParameterKind::Connection,
            "Where to.",
        );
        let mut schema = Parameter::required("schema", ParameterKind::Any, "Anything.")
            .sealing(&["/values/*", "/secret"]);
        schema.required = false;
        let command = |name: &str| Command {
            name: name.into(),
            summary: "Answers the call.".into(),
            access: Access::Read,
            raw: false,
            parameters: vec![connection.clone(), schema.clone()],
            errors: vec![],
            example: r#"{"schema": {}}"#.into(),
        };
        Manifest {
            name: "recorder".into(),
            version: "1.0.0".into(),
            summary: "Answers what it was given.".into(),
            commands: vec![command("Echo"), command("Resume"), command("Soil")],
        }
    }

    fn plan(call: Call) -> Result<Plan, Failure> {
        if call.command == "Resume" {
            let sql = Sql::new("SELECT 1 AS one, 'a' AS two UNION ALL SELECT 2, 'b' ORDER BY 1");
            return Ok(Plan {
                statements: vec![Statement::once(sql, Access::Read)],
                reply: Reply::Resume(b"state".to_vec()),
            });
        }
        if call.command == "Soil" {
            // Claims not to be raw, and changes the session all the same.
            let sql = Sql::new("SELECT set_config('search_path', 'soiled', false)");
            return Ok(Plan {
                statements: vec![Statement::once(sql, Access::Read)],
                reply: Reply::Affected,
            });
        }
        Ok(Plan {
            statements: vec![],
            reply: Reply::Json(call.input),
        })
    }

    fn resume(_: Call, state: Vec<u8>, outcomes: Vec<Outcome>) -> Result<Plan, Failure> {
        let text = outcomes
            .iter()
            .map(|o| {
                format!(
                    r#"{{"columns": {:?}, "rows": {}, "affected": {}}}"#,
                    o.columns, o.rows, o.affected
                )
            })
            .collect::<Vec<_>>()
            .join(",");
        let state = String::from_utf8_lossy(&state);
        Ok(Plan {
            statements: vec![],
            reply: Reply::Json(format!(r#"{{"state": "{state}", "outcomes": [{text}]}}"#)),
        })
    }
}

airlock_connector::export!(Recorder);
