//! Secrets that tests plant, and the search for them in whatever comes out.
//!
//! Every test plants some by itself: the password of its PostgreSQL is random, and stands in each connection
//! string. Each reply that [`Server::call`](crate::Server::call) gets and each log is searched for all of
//! them.

use std::collections::BTreeSet;
use std::sync::Mutex;

/// Shorter ones could be found anywhere.
const SHORTEST: usize = 8;

static PLANTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Has everything searched for `secret` from now on, if it is long enough.
pub fn plant(secret: &str) {
    if secret.len() < SHORTEST {
        return;
    }
    PLANTED.lock().unwrap().insert(secret.to_owned());
}

/// Plants the password of a connection string.
pub fn plant_password(connection_string: &str) {
    let password = connection_string.split_once("password=");
    let password = password.and_then(|(_, rest)| rest.split(' ').next());
    plant(password.expect("the connection string has a password"));
}

/// Searches what came out of `place`.
///
/// # Panics
/// When a secret is in there.
pub fn search(place: &str, text: &str) {
    let planted = PLANTED.lock().unwrap().clone();
    let found = planted.iter().find(|secret| text.contains(*secret));
    assert!(
        found.is_none(),
        "{place} holds the secret {found:?}: {text}"
    );
}
