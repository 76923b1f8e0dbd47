//! Manifests that lie.

use super::Attack;
use crate::hostile::{Guest, command, manifest, parameter};
use airlock::plan::{Access, Manifest, ParameterKind};

pub(super) fn attacks() -> Vec<Attack> {
    [names(), commands(), sizes()].concat()
}

fn names() -> Vec<Attack> {
    let long = "a".repeat(65);
    let connectors = [
        "",
        "HOSTILE",
        &long,
        "../hostile",
        "hos\0tile",
        "hos tile",
        "höstile",
        "hostile\n",
    ];
    let connectors = connectors.map(|name| {
        let lie = Manifest {
            name: name.into(),
            ..manifest()
        };
        Attack::new(
            format!("a connector called {name:?}"),
            &Guest::described_by(lie),
        )
        .refused("must be 1 to 64 characters of a-z, 0-9 and _")
    });
    let commands = ["", &long, "C/../D", "C\0", "C D", "Ç"].map(|name| {
        let lie = Manifest {
            commands: vec![command(name, Access::Read)],
            ..manifest()
        };
        Attack::new(
            format!("a command called {name:?}"),
            &Guest::described_by(lie),
        )
        .refused("is malformed or taken")
    });
    connectors.into_iter().chain(commands).collect()
}

fn commands() -> Vec<Attack> {
    let twice = Manifest {
        commands: vec![command("C", Access::Read), command("C", Access::Define)],
        ..manifest()
    };
    let sealing = |patterns: &[&str]| with_parameters(&[("p", patterns)]);
    vec![
        Attack::new("one command with two accesses", &Guest::described_by(twice))
            .refused("is malformed or taken"),
        Attack::new(
            "one parameter, sealed and open",
            &with_parameters(&[("p", &["/*"]), ("p", &[])]),
        )
        .refused("has two parameters"),
        Attack::new("a pattern without a slash", &sealing(&["*"])).refused("does not begin with /"),
        Attack::new("more patterns than are followed", &sealing(&["/a"; 65]))
            .refused("more than 64 patterns"),
    ]
}

fn with_parameters(parameters: &[(&str, &[&str])]) -> Guest {
    let mut lie = manifest();
    lie.commands[0].parameters = parameters
        .iter()
        .map(|(name, sealed)| parameter(name, ParameterKind::Any, sealed))
        .collect();
    Guest::described_by(lie)
}

fn sizes() -> Vec<Attack> {
    let endless = "x".repeat(300_000);
    let summary = Manifest {
        summary: endless.clone(),
        ..manifest()
    };
    let name = Manifest {
        commands: vec![command(&format!("{endless}/"), Access::Read)],
        ..manifest()
    };
    let many = Guest {
        pages: 100,
        ..Guest::describing("(i32.store offset=28 (global.get $manifest) (i32.const 100000))")
    };
    vec![
        Attack::new("an endless summary", &Guest::described_by(summary))
            .within(|limits| limits.manifest_bytes = 100_000)
            .refused_at("manifest_bytes"),
        Attack::new("a hundred thousand commands", &many).refused_at("manifest_bytes"),
        Attack::new("an endless name of a command", &Guest::described_by(name))
            .refused("the command name \"xxx"),
        Attack::new(
            "an endless pattern",
            &with_parameters(&[("p", &[&endless])]),
        )
        .refused("the sealing pattern \"xxx"),
        Attack::new(
            "an endless name of two parameters",
            &with_parameters(&[(&endless, &[]), (&endless, &[])]),
        )
        .refused("has two parameters"),
    ]
}
