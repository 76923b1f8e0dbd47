//! Connectors that mean harm, and what shall come of each.
//!
//! Each module makes some of the attacks; [`all`] is all of them, so none can be there that no test
//! runs. Every attack is held to the same: it ends as its row says, the culprit is named, what is shown
//! of it is short, and the next one finds everything as it was.

mod attack;
mod bounds;
mod files;
mod manifests;
mod plans;
mod policy;
mod results;
mod sql;
mod state;
mod wasi;

pub use attack::Attack;
pub use bounds::endless;
pub use results::TRAPS;
pub use state::{PLACES, TELL};

use crate::Database;
use airlock::{Compiler, Limits, Runtime};

/// Every attack.
#[must_use]
pub fn all() -> Vec<Attack> {
    [
        files::attacks(),
        manifests::attacks(),
        bounds::attacks(),
        results::attacks(),
        plans::attacks(),
        sql::attacks(),
        state::attacks(),
        policy::attacks(),
        wasi::attacks(),
    ]
    .concat()
}

/// A runtime in which a child process of `binary` compiles.
#[must_use]
pub fn runtime(binary: &str, limits: Limits) -> Runtime {
    let compiler = Compiler::Child {
        program: binary.into(),
        arguments: vec!["compile".into()],
    };
    Runtime::compiling_by(compiler, limits).unwrap()
}

/// A database for attacks: with the table `t`, which has one row.
pub async fn database() -> Database {
    let database = Database::fresh().await;
    let table = "CREATE TABLE t (n int); INSERT INTO t VALUES (1)";
    database.batch_execute(table).await.unwrap();
    database
}
