//! `[admin]`: where the server is administered, and the token for it.

use super::Variables;
use super::table::Table;
use crate::admin::{Admin, DEFAULT_LISTEN, Token};
use crate::secret::Secret;
use std::path::Path;

/// Variable with the token.
const TOKEN: &str = "AIRLOCK_ADMIN_TOKEN";

/// Reads the table and the variable; none where there is no token.
pub(super) fn read(file: &Table<'_>, directory: &Path, variables: Variables<'_>) -> Option<Admin> {
    let given = token(variables).ok().flatten().map(Token::Given);
    let Some(table) = file.table("admin") else {
        return given.map(|token| Admin {
            listen: DEFAULT_LISTEN,
            token,
            metrics_without_token: false,
        });
    };
    let listen = table.address("listen", DEFAULT_LISTEN);
    let token_file = table.text("token_file");
    let metrics_without_token = table.boolean("metrics_without_token");
    table.finish();
    let token = given.or(token_file.map(|path| Token::File(directory.join(path.value))));
    if token.is_none() {
        let message = format!("[admin] needs a token: set {TOKEN}, or name a token_file");
        file.mistakes().add(file.at("admin"), message);
    }
    let token = token?;
    Some(Admin {
        listen,
        token,
        metrics_without_token: metrics_without_token.is_some_and(|given| given.value),
    })
}

/// The token in the environment.
///
/// # Errors
/// Where it is set but empty: it would let everyone in or no one.
pub(super) fn token(variables: Variables<'_>) -> Result<Option<Secret>, String> {
    match variables(TOKEN).ok().map(|token| token.trim().to_owned()) {
        Some(token) if token.is_empty() => Err(format!(
            "{TOKEN} is set but empty: set it to a token, or unset it"
        )),
        token => Ok(token.map(Secret::new)),
    }
}
