//! `airlock test`: whether a connector plans its golden calls as expected.

use super::build::{Project, Workbench};
use super::golden::{self, Comparison, GoldenPlan};
use super::input::Usage;
use super::{Ending, Result, TestArguments, async_runtime};
use airlock::Connector;
use std::fs;
use std::io::{self, Write};

/// From this part of a limit on, a connector is near it.
const NEAR: f64 = 0.5;

/// Builds, compares, and takes what is there as expected where that is asked for.
pub(super) fn run(arguments: &TestArguments) -> Result<Ending> {
    let workbench = Workbench::of(Project::find(&arguments.directory)?)?;
    let connector = match &arguments.component {
        None => match workbench.built_before()? {
            Some(component) => workbench.load(&component)?,
            None => workbench.build()?.connector,
        },
        Some(file) => {
            let bytes = fs::read(file)
                .map_err(|error| Usage(format!("cannot read {}: {error}", file.display())))?;
            workbench.load(&bytes)?
        }
    };
    let plans = golden::read(&workbench.project.directory)?;
    let mut out = io::stdout().lock();
    let failed = show(&mut out, &workbench, &connector, &plans, arguments.update)?;
    Ok(match failed {
        0 => Ending::Done,
        _ => Ending::Failed,
    })
}

/// Compares each golden plan and shows what differs; gives how many do. `update` takes what is there as
/// expected; what no server would run never is.
pub(super) fn show(
    out: &mut impl Write,
    workbench: &Workbench,
    connector: &Connector,
    plans: &[GoldenPlan],
    update: bool,
) -> Result<usize> {
    let tasks = async_runtime()?;
    let mut failed = 0;
    let mut most = Most::default();
    most.note("an example", connector);
    for plan in plans {
        let comparison = tasks.block_on(plan.compare(workbench, connector))?;
        most.note(&plan.name, connector);
        let name = &plan.name;
        match comparison {
            Comparison::Equal => {
                writeln!(out, "ok         {name}")?;
                continue;
            }
            Comparison::New(answers) | Comparison::Different(answers, _) if update => {
                plan.expect(&answers)?;
                writeln!(out, "expected   {name}, from here on")?;
                continue;
            }
            Comparison::New(_) => {
                writeln!(
                    out,
                    "new        {name}: nothing is expected yet; airlock test --update takes what there is"
                )?;
            }
            Comparison::Different(_, differences) => {
                writeln!(out, "different  {name}\n{differences}")?
            }
            Comparison::Refused(reason) => {
                writeln!(out, "refused    {name}: no server would run it: {reason}")?;
            }
            Comparison::Unfit(reason) => {
                writeln!(
                    out,
                    "unfit      {name}: no server would go on like this: {reason}"
                )?;
            }
        }
        failed += 1;
    }
    let number = plans.len();
    writeln!(
        out,
        "\n{} {}: {number} calls, {failed} not as expected",
        connector.name(),
        connector.version()
    )?;
    most.show(out, connector)?;
    Ok(failed)
}

/// The calls that took most so far.
#[derive(Default)]
struct Most {
    fuel: Option<(u64, String)>,
    memory: Option<(u64, String)>,
}

impl Most {
    fn note(&mut self, name: &str, connector: &Connector) {
        let usage = connector.usage().stats();
        for (most, taken) in [
            (&mut self.fuel, usage.fuel.max),
            (&mut self.memory, usage.memory_bytes.max),
        ] {
            if most.as_ref().is_none_or(|(most, _)| taken > *most) {
                *most = Some((taken, name.to_owned()));
            }
        }
    }

    /// What they took of what there is.
    fn show(&self, out: &mut impl Write, connector: &Connector) -> io::Result<()> {
        let limits = &connector.policy().limits;
        for (what, limit_name, taken, limit) in [
            ("fuel", "plan_fuel", &self.fuel, limits.plan_fuel),
            (
                "memory",
                "memory_bytes",
                &self.memory,
                limits.memory_bytes as u64,
            ),
        ] {
            let Some((taken, name)) = taken else { continue };
            let part = *taken as f64 / limit as f64;
            let near = if part < NEAR { "" } else { ": near it" };
            writeln!(
                out,
                "most {what:<6} {taken} by {name}, {:.1} % of {limit_name} = {limit}{near}",
                100.0 * part
            )?;
        }
        Ok(())
    }
}
