//! The recorded cases and the deviations from them.

use serde_json::{Value, from_str};
use std::collections::BTreeMap;

/// A recorded request and the reply to it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) setup: Vec<String>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    pub(crate) status: u16,
    /// JSON where the body was JSON, text where it was not.
    pub(crate) response: Value,
    /// Headers of the reply that matter: `allow`, `location` and those of cross-origin requests.
    pub(crate) reply_headers: Vec<(String, String)>,
    pub(crate) after: Vec<(String, Value)>,
    pub(crate) env_dependent: bool,
}

/// What is expected of Airlock, by what was recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The same reply.
    Same,
    /// Status 400 in place of 500, with the same error code.
    Coded,
    /// The same status, with a JSON body.
    Status,
    /// A crash or invalid JSON was recorded: valid JSON, or 400 with an error code.
    Repaired,
    /// Smuggled SQL ran: 400 with an error code, and no effect.
    Refused,
}

/// Cases in which SQL that was smuggled through a name or a type ran.
const SMUGGLED: [&str; 10] = [
    "create_injection_table_name",
    "create_injection_column_type",
    "drop_injection",
    "insert_injection_column_name",
    "select_where_column_injection",
    "select_table_injection_stacked",
    "update_injection_table",
    "update_injection_column",
    "delete_injection_where_column",
    "delete_stacked",
];

/// Statements that failed because Python cannot represent the year.
const PYTHON_YEARS: &str = "year ";

impl Expected {
    pub(crate) const ALL: [Expected; 5] = [
        Expected::Same,
        Expected::Coded,
        Expected::Status,
        Expected::Repaired,
        Expected::Refused,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Expected::Same => "same",
            Expected::Coded => "coded",
            Expected::Status => "status",
            Expected::Repaired => "repaired",
            Expected::Refused => "refused",
        }
    }
}

impl Case {
    pub(crate) fn all() -> Vec<Case> {
        let cases: Vec<Value> = from_str(include_str!("../data/cases.json")).unwrap();
        cases.iter().map(Case::read).collect()
    }

    pub(crate) fn all_with_key() -> Vec<Case> {
        let cases: Vec<Value> = from_str(include_str!("../data/cases_api_key.json")).unwrap();
        cases.iter().map(Case::read).collect()
    }

    fn read(case: &Value) -> Case {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let pairs = |value: &Value| -> Vec<(String, String)> {
            value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.to_lowercase(), text(value)))
                .collect()
        };
        let request = &case["request"];
        let body = match (&request["json"], &request["body"]) {
            (Value::Null, Value::String(body)) => Some(body.clone()),
            (Value::Null, _) => None,
            (json, _) => Some(json.to_string()),
        };
        // The cases with a key have the body as text and all headers of the reply.
        let response = match &case["raw"] {
            Value::String(raw) => from_str(raw).unwrap_or_else(|_| Value::String(raw.clone())),
            _ => case["response"].clone(),
        };
        let mut reply_headers = pairs(&case["headers"]);
        reply_headers
            .extend(["allow", "location"].map(|name| (name.to_owned(), text(&case[name]))));
        reply_headers.retain(|(name, value)| name != "content-type" && !value.is_empty());
        Case {
            name: text(&case["name"]),
            setup: case["setup"]
                .as_array()
                .into_iter()
                .flatten()
                .map(text)
                .collect(),
            method: text(&request["method"]),
            path: text(&request["path"]),
            headers: pairs(&request["headers"]),
            body,
            status: case["status"].as_u64().unwrap() as u16,
            response,
            reply_headers,
            after: case["after"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|after| (text(&after["sql"]), after["rows"].clone()))
                .collect(),
            env_dependent: case["env_dependent"] == true,
        }
    }

    pub(crate) fn expected(&self) -> Expected {
        let error = &self.response["error"];
        let invalid_json = self
            .response
            .as_str()
            .is_some_and(|text| text.starts_with("{\"command_response\""));
        let python_year = error["error_code"] == "ValueError"
            && error["message"]
                .as_str()
                .is_some_and(|message| message.contains(PYTHON_YEARS));
        if SMUGGLED.contains(&self.name.as_str()) {
            Expected::Refused
        } else if self.status == 500 {
            if error["error_code"].is_string() {
                Expected::Coded
            } else {
                Expected::Repaired
            }
        } else if invalid_json || python_year {
            Expected::Repaired
        } else if self.status >= 300 && !error["error_code"].is_string() {
            Expected::Status
        } else {
            Expected::Same
        }
    }
}

/// Cases that are answered otherwise than expected, each class with its reason.
pub(crate) struct Deviations(BTreeMap<String, String>);

impl Deviations {
    pub(crate) fn load(file: &str) -> Deviations {
        let path = format!("{}/../tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
        let classes: BTreeMap<String, Value> =
            from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut by_case = BTreeMap::new();
        for (class, entry) in &classes {
            assert!(
                entry["reason"]
                    .as_str()
                    .is_some_and(|reason| reason.len() > 20),
                "{class} has no reason"
            );
            for case in entry["cases"].as_array().unwrap() {
                let twice = by_case.insert(case.as_str().unwrap().to_owned(), class.clone());
                assert!(twice.is_none(), "{case} is listed twice");
            }
        }
        Deviations(by_case)
    }

    pub(crate) fn class(&self, case: &str) -> Option<&str> {
        self.0.get(case).map(String::as_str)
    }
}
