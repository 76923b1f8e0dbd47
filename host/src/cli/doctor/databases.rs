//! The databases that have a name: the way there, the login, and what connectors need there.

use super::ends;
use super::finding::{Findings, Status};
use airlock::Policy;
use airlock::config::Config;
use airlock::exec::{
    Encryption, Examination, Granted, Login, Pooling, ServerFacts, Stage, Wanted, examine,
};
use airlock::network::SslMode;
use airlock::policy::DatabaseName;
use std::sync::Arc;

/// Version from which on a server tells what became of a transaction.
const LEAST_VERSION: i32 = 130_000;

/// Clocks that differ by more seconds than this show that one of them is not kept.
const CLOCKS_APART: f64 = 5.0;

pub(super) async fn look(config: &Config, findings: &mut Findings) {
    let databases = &config.databases;
    if databases.logins().next().is_none() {
        findings.ok(
            "databases",
            "none has a name; callers bring connection strings",
        );
    }
    for (name, login) in databases.logins() {
        let connectors = users_of(config, name);
        let wanted: Vec<Wanted> = connectors.iter().map(|(_, policy)| wants(policy)).collect();
        let poolers = databases.poolers();
        let found = examine(login, poolers, &config.network, &config.limits, &wanted).await;
        let report = Report {
            at: format!("databases.{name}"),
            config,
            connectors,
        };
        report.certificates(login, findings);
        report.write(&found, findings);
    }
}

/// The connectors whose calls may use the database.
fn users_of(config: &Config, name: &DatabaseName) -> Vec<(String, Arc<Policy>)> {
    let components = config.components().unwrap_or_default();
    let may_use = |policy: &Policy| {
        let listed = policy.databases.as_ref();
        listed.is_none_or(|listed| listed.contains(name))
    };
    let users = components
        .into_iter()
        .filter(|component| may_use(&component.policy));
    users
        .map(|component| (component.name, component.policy))
        .collect()
}

fn wants(policy: &Policy) -> Wanted {
    Wanted {
        role: policy.session.role.clone(),
        idempotency_table: policy.idempotency_table.clone(),
    }
}

/// What is said of one database.
struct Report<'c> {
    at: String,
    config: &'c Config,
    connectors: Vec<(String, Arc<Policy>)>,
}

impl Report<'_> {
    fn check(&self, part: &str) -> String {
        format!("{}.{part}", self.at)
    }

    /// What the operator names for it.
    fn certificates(&self, login: &Login, findings: &mut Findings) {
        let Some(given) = &login.operator else {
            return;
        };
        if let Some(end) = given.client.as_ref().and_then(|client| client.expires()) {
            let check = self.check("client_certificate_file");
            ends::look(&check, "the certificate of the login", end, findings);
        }
        let roots = given.roots.as_ref().or(self.config.network.roots.as_ref());
        if let Some(end) = roots.and_then(|roots| roots.expires()) {
            ends::look(&self.check("ca_file"), "the last authority", end, findings);
        }
    }

    fn write(&self, found: &Examination, findings: &mut Findings) {
        // Of several hosts, one is enough.
        let grave = match found.encryption {
            Some(_) => Status::Warning,
            None => Status::Failed,
        };
        for step in &found.steps {
            let (part, next) = advice(step.stage);
            match &step.result {
                Ok(text) => findings.ok(self.check(part), text.clone()),
                Err(reason) => findings.add(grave, self.check(part), reason.trim(), next),
            }
        }
        if let Some(encryption) = &found.encryption {
            self.encryption(encryption, findings);
        }
        match &found.facts {
            Some(Ok(facts)) => self.facts(facts, findings),
            Some(Err(reason)) => findings.failed(
                self.check("server"),
                format!("it does not say what it is: {reason}"),
                "see whether it is PostgreSQL, and let the login read pg_catalog",
            ),
            None => {}
        }
        if let Some(pooling) = found.pooling {
            self.pooling(pooling, found.is_listed_as_pooler, findings);
        }
        for ((name, policy), granted) in self.connectors.iter().zip(&found.granted) {
            self.granted(name, policy, granted, findings);
        }
    }

    fn encryption(&self, found: &Encryption, findings: &mut Findings) {
        let check = self.check("tls");
        let mode = found.mode;
        if let Some(end) = found.certificate_ends {
            let certificate = self.check("certificate");
            ends::look(&certificate, "the certificate of the server", end, findings);
        }
        match (found.is_encrypted, mode) {
            (true, SslMode::VerifyFull) => {
                findings.ok(check, "encrypted; certificate and name are checked");
            }
            (true, SslMode::VerifyCa) => findings.ok(
                check,
                "encrypted; the certificate is checked, the name in it is not",
            ),
            (false, _) if found.is_local => {
                findings.ok(check, "not encrypted, within this machine");
            }
            (true, _) if found.is_local => {
                findings.ok(
                    check,
                    "encrypted, within this machine; no certificate is checked",
                );
            }
            (true, mode) => findings.warning(
                check,
                format!("encrypted, but sslmode={mode} checks no certificate"),
                "add sslmode=verify-full, and ca_file where the authority is your own",
            ),
            (false, mode) => findings.warning(
                check,
                format!("not encrypted, as sslmode={mode} and the server go"),
                "add sslmode=verify-full, and have the server speak TLS",
            ),
        }
    }

    fn facts(&self, facts: &ServerFacts, findings: &mut Findings) {
        let (major, minor) = (facts.version / 10_000, facts.version % 10_000);
        let check = self.check("version");
        let is_confirmed = self
            .connectors
            .iter()
            .any(|(_, policy)| !policy.unconfirmed_writes);
        match facts.version {
            LEAST_VERSION.. => findings.ok(check, format!("PostgreSQL {major}.{minor}")),
            _ if is_confirmed => findings.failed(
                check,
                format!("PostgreSQL {major} does not tell what became of a transaction"),
                "take version 13 or newer, or set unconfirmed_writes = true",
            ),
            _ => findings.warning(
                check,
                format!("PostgreSQL {major} is no longer maintained"),
                "take version 13 or newer",
            ),
        }
        let check = self.check("privileges");
        match facts.excess.as_slice() {
            [] => findings.ok(check, "the login has no privileges of an administrator"),
            excess => findings.warning(
                check,
                format!("the login has {}", excess.join(", ")),
                "log in as a role that may do what workflows need and no more",
            ),
        }
        self.connections(facts, findings);
        let check = self.check("clock");
        let apart = facts.ahead_seconds;
        match apart.abs() > CLOCKS_APART {
            false => findings.ok(check, "it goes with the one here"),
            true => findings.warning(
                check,
                format!("it differs by {apart:.0} s from the one here"),
                "keep both by NTP",
            ),
        }
        let writes = |policy: &Policy| policy.statements.access != airlock::plan::Access::Read;
        if facts.is_standby && self.connectors.iter().any(|(_, policy)| writes(policy)) {
            findings.warning(
                self.check("standby"),
                "it is a standby, so nothing can be changed there",
                "name the primary, add target_session_attrs=read-write, or set access = \"read\"",
            );
        }
    }

    fn connections(&self, facts: &ServerFacts, findings: &mut Findings) {
        let there_are = facts
            .bound
            .map_or(facts.connections, |bound| bound.min(facts.connections));
        let wanted = self.config.limits.pool_connections;
        let found = format!("{there_are} for this login, {wanted} by pool_connections");
        let check = self.check("connections");
        match usize::try_from(there_are).unwrap_or_default() >= wanted {
            true => findings.ok(check, found),
            false => findings.warning(
                check,
                found,
                "lower pool_connections, or raise max_connections or the CONNECTION LIMIT",
            ),
        }
    }

    fn pooling(&self, found: Pooling, is_listed: bool, findings: &mut Findings) {
        let check = self.check("pooler");
        match (found, is_listed) {
            (Pooling::Sessions, false) => findings.ok(check, "sessions are its own"),
            (Pooling::Transactions, true) => findings.ok(check, "a transaction pooler, as listed"),
            (Pooling::Transactions, false) => findings.failed(
                check,
                "a transaction pooler lends sessions here",
                "add its HOST:PORT to transaction_poolers",
            ),
            (Pooling::Sessions, true) => findings.warning(
                check,
                "listed as a transaction pooler, but sessions are kept",
                "take it out of transaction_poolers where it is none: it costs round trips",
            ),
        }
    }

    fn granted(&self, name: &str, policy: &Policy, granted: &Granted, findings: &mut Findings) {
        if let Some(role) = &policy.session.role {
            let check = self.check(&format!("{name}.role"));
            match &granted.role {
                None => findings.ok(check, format!("the login may take the role {role}")),
                Some(reason) => findings.failed(
                    check,
                    format!("the login cannot take the role {role}: {reason}"),
                    format!("make the role and GRANT {role} TO the login, or name another one"),
                ),
            }
        }
        let Some(table) = &policy.idempotency_table else {
            return;
        };
        let check = self.check(&format!("{name}.idempotency_table"));
        match granted.idempotency_table.as_slice() {
            _ if granted.role.is_some() => {}
            [] => findings.ok(check, format!("{table} is as it has to be")),
            problems => findings.failed(
                check,
                format!("{table}: {}", problems.join("; ")),
                "make it as Replies in the documentation says, and GRANT SELECT, INSERT, UPDATE on it",
            ),
        }
    }
}

/// The name of a step, and what to do where it fails.
fn advice(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Policy => (
            "network",
            "change [network], or the host in the connection string",
        ),
        Stage::Name => (
            "name",
            "see whether the name is right, and what resolves names here",
        ),
        Stage::Reach => (
            "reach",
            "see host and port, whether the server runs and listens there, and firewalls in between",
        ),
        Stage::Tls => (
            "tls",
            "see sslmode, ca_file and the certificate of the server; the name in it must be that of host",
        ),
        Stage::Login => (
            "login",
            "see user, password, dbname and pg_hba.conf of the server",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(facts: &ServerFacts, policy: Policy) -> Findings {
        let config = Config::load(None).unwrap();
        let report = Report {
            at: "databases.orders".into(),
            config: &config,
            connectors: vec![("a".into(), policy.into())],
        };
        let mut findings = Findings::default();
        report.facts(facts, &mut findings);
        findings
    }

    fn status(findings: &Findings, part: &str) -> Option<Status> {
        let check = format!("databases.orders.{part}");
        let found = findings.all().iter().find(|finding| finding.check == check);
        found.map(|finding| finding.status)
    }

    /// Servers that tests cannot start.
    #[test]
    fn old_servers_standbys_and_clocks_that_go_wrong_are_told() {
        let good = ServerFacts {
            version: 130_004,
            excess: Vec::new(),
            connections: 97,
            bound: None,
            is_standby: false,
            ahead_seconds: -1.0,
        };
        let findings = found(&good, Policy::default());
        assert_eq!(findings.count(Status::Ok), findings.all().len());
        let bad = ServerFacts {
            version: 120_020,
            is_standby: true,
            ahead_seconds: -90.0,
            ..good
        };
        let findings = found(&bad, Policy::default());
        assert_eq!(status(&findings, "version"), Some(Status::Failed));
        assert_eq!(status(&findings, "standby"), Some(Status::Warning));
        assert_eq!(status(&findings, "clock"), Some(Status::Warning));
        let mut policy = Policy {
            unconfirmed_writes: true,
            ..Policy::default()
        };
        policy.statements.access = airlock::plan::Access::Read;
        let findings = found(&bad, policy);
        assert_eq!(status(&findings, "version"), Some(Status::Warning));
        assert_eq!(status(&findings, "standby"), None);
    }
}
