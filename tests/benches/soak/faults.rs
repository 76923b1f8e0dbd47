//! What breaks.

use crate::{FAULT_EVERY, Soak};
use airlock::postgres::Cluster;
use airlock_tests::Database;
use airlock_tests::proxy::{Gate, Proxy};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How long a database is away.
const AWAY: Duration = Duration::from_secs(1);

/// Breaks one thing after another until all is done; gives how many, and the cluster, which is up.
pub(crate) async fn go_on(
    soak: Arc<Soak>,
    proxy: Proxy,
    mut cluster: Cluster,
    direct: String,
) -> (usize, Cluster) {
    let mut faults = 0;
    let mut next = Instant::now() + FAULT_EVERY;
    while !soak.is_done() {
        sleep(Duration::from_millis(100)).await;
        if Instant::now() < next {
            continue;
        }
        next += FAULT_EVERY;
        faults += 1;
        match faults % 6 {
            0 => {
                cluster = spawn_blocking(move || {
                    cluster.kill().unwrap();
                    cluster.restart().unwrap();
                    cluster
                })
                .await
                .unwrap();
            }
            1 => proxy.cut_all(),
            2 => away(&proxy, Gate::Refusing).await,
            3 => away(&proxy, Gate::Silent).await,
            4 => {
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'airlock'";
                let own = Database::connect(&direct).await;
                own.batch_execute(sql).await.unwrap();
            }
            // The server takes the end of one process for a crash, and starts anew.
            _ => kill_one(&direct).await,
        }
    }
    proxy.gate(Gate::Open).await;
    (faults, cluster)
}

async fn away(proxy: &Proxy, gate: Gate) {
    proxy.gate(gate).await;
    proxy.cut_all();
    sleep(AWAY).await;
    proxy.gate(Gate::Open).await;
}

async fn kill_one(direct: &str) {
    let own = Database::connect(direct).await;
    let sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'airlock' LIMIT 1";
    if let Some(row) = own.query_opt(sql, &[]).await.unwrap() {
        let pid: i32 = row.get(0);
        let pid = nix::unistd::Pid::from_raw(pid);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
    drop(own);
    // Until it is up again.
    while tokio_postgres::connect(direct, tokio_postgres::NoTls)
        .await
        .is_err()
    {
        sleep(Duration::from_millis(20)).await;
    }
}
