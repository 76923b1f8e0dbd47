//! What all parts measure against: the database, both servers, and turns.

use crate::client::{self, Client};
use crate::database::Database;
use crate::process::Server;
use crate::request::Request;
use tempfile::TempDir;

/// A database and both servers. The servers end before the database does.
pub(crate) struct Setup {
    pub(crate) baseline: Server,
    pub(crate) airlock: Server,
    pub(crate) database: Database,
    /// For scripts, logs and files to copy.
    pub(crate) directory: TempDir,
}

/// A value for each of the two servers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Pair<T> {
    pub(crate) baseline: T,
    pub(crate) airlock: T,
}

impl Setup {
    /// Starts everything.
    pub(crate) async fn start() -> Setup {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::start().await;
        Setup {
            baseline: Server::baseline(directory.path(), &database.dsn).await,
            airlock: Server::airlock(directory.path()).await,
            database,
            directory,
        }
    }

    /// Starts both servers anew.
    pub(crate) async fn restart(&mut self) {
        self.baseline = Server::baseline(self.directory.path(), &self.database.dsn).await;
        self.airlock = Server::airlock(self.directory.path()).await;
    }

    /// Measures both servers, in an order that changes from round to round.
    pub(crate) async fn turns<T>(
        &self,
        round: u32,
        mut measure: impl AsyncFnMut(&Server) -> T,
    ) -> Pair<T> {
        if round.is_multiple_of(2) {
            let baseline = measure(&self.baseline).await;
            let airlock = measure(&self.airlock).await;
            return Pair { baseline, airlock };
        }
        let airlock = measure(&self.airlock).await;
        let baseline = measure(&self.baseline).await;
        Pair { baseline, airlock }
    }

    /// Checks that both servers answer a request with the same bytes, and store the same rows; returns
    /// what they answer.
    pub(crate) async fn check(&self, request: &Request) -> Vec<u8> {
        let answer = async |server: &Server| {
            self.database.truncate().await;
            let mut client = Client::connect(server.address).await;
            client.call(request.bytes()).await;
            let body = client.body().into_owned();
            (body, self.database.fingerprint().await)
        };
        let (baseline, stored) = answer(&self.baseline).await;
        let (airlock, also_stored) = answer(&self.airlock).await;
        assert!(
            baseline == airlock,
            "the servers answer differently to {}\nbaseline, {} bytes: {}\nairlock, {} bytes: {}",
            client::beginning(request.bytes()),
            baseline.len(),
            client::beginning(&baseline),
            airlock.len(),
            client::beginning(&airlock),
        );
        assert_eq!(stored, also_stored, "the servers store different rows");
        baseline
    }
}
