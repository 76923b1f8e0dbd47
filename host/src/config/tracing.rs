//! `[tracing]`, and the variables by which OpenTelemetry is configured everywhere: where traces go.

use super::Variables;
use super::table::Table;
use crate::traces::TracesConfig;

/// What spans are posted to below the endpoint.
const PATH: &str = "/v1/traces";

/// Variables with the endpoint: that of traces, as it is, and that of everything.
const ENDPOINTS: [(&str, &str); 2] = [
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", PATH),
];

/// Variable that turns all of it off.
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// Reads the table, and the variables where it says nothing; none where there is no endpoint.
pub(super) fn read(file: &Table<'_>, variables: Variables<'_>) -> Option<TracesConfig> {
    let (mut written, mut sample_ratio) = (None, None);
    if let Some(table) = file.table("tracing") {
        written = table.parsed("endpoint", |text| below(text, PATH));
        sample_ratio = table.ratio("sample_ratio");
        table.finish();
    }
    if variables(DISABLED).is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    let endpoint = match written {
        Some(written) => Some(written.value),
        None => from_variables(variables).unwrap_or_else(|mistake| {
            file.mistakes().add(0, mistake);
            None
        }),
    };
    Some(TracesConfig {
        endpoint: endpoint?,
        sample_ratio: sample_ratio.map(|ratio| ratio.value),
    })
}

fn from_variables(variables: Variables<'_>) -> Result<Option<String>, String> {
    for (name, path) in ENDPOINTS {
        if let Ok(text) = variables(name)
            && !text.is_empty()
        {
            let endpoint = below(&text, path);
            return endpoint
                .map(Some)
                .map_err(|reason| format!("the variable {name}: {reason}"));
        }
    }
    Ok(None)
}

/// The place `path` of a collector.
fn below(text: &str, path: &str) -> Result<String, String> {
    let whole = format!("{}{path}", text.trim_end_matches('/'));
    let uri = whole.parse::<hyper::Uri>().ok();
    let is_plain = uri.is_some_and(|uri| {
        let authority = uri.authority().map(|authority| authority.as_str());
        // A password would be shown with the endpoint.
        uri.scheme_str() == Some("http") && authority.is_some_and(|name| !name.contains('@'))
    });
    match is_plain {
        true => Ok(whole),
        false => Err(
            "endpoint must be the address of a collector that takes OTLP over plain HTTP, such as http://127.0.0.1:4318; let a collector on this machine speak TLS to others"
                .into(),
        ),
    }
}
