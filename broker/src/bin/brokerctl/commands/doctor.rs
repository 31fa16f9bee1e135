//! `brokerctl doctor`: what is wrong on this machine, and what helps.

use std::path::Path;

use authbroker::checkup::{self, Finding, Grade, Places, Section};
use authbroker::config;
use authbroker_client::wire::admin1::Status;
use authbroker_client::wire::places;
use authbroker_client::{Admin, Error};
use serde_json::json;

use super::findings::{document, lines};
use super::{admin, state_dir};
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let looking = printer.wait("Looking around");
    let places = places(place);
    let mut sections = checkup::examine(&places).await;
    let broker = Section { name: "broker".to_owned(), findings: broker(place, &places).await };
    sections.insert(0, broker);
    drop(looking);
    tell(&sections, printer)?;
    let wrong = findings(&sections).filter(|(_, found)| found.grade == Grade::Problem).count();
    if wrong == 0 { Ok(()) } else { Err(Failure::Unwell(wrong)) }
}

fn places(place: &Place) -> Places {
    Places {
        config: config::user_file(place.config.clone()),
        config_named: place.config.is_some(),
        runtime_dir: place.runtime_dir.clone().or_else(places::runtime_dir),
        state_dir: state_dir(place),
    }
}

fn findings(sections: &[Section]) -> impl Iterator<Item = (&str, &Finding)> {
    sections
        .iter()
        .flat_map(|section| section.findings.iter().map(|found| (section.name.as_str(), found)))
}

fn tell(sections: &[Section], printer: &Printer) -> Result<(), Failure> {
    if printer.json() {
        let all = findings(sections).map(|(section, found)| {
            let mut document = document(found);
            document["section"] = json!(section);
            document
        });
        printer.document(&all.collect::<Vec<_>>())?;
        return Ok(());
    }
    for section in sections {
        printer.line(&section.name)?;
        for line in lines(&section.findings) {
            printer.line(&line)?;
        }
    }
    Ok(())
}

/// The broker that runs, or why none answers.
async fn broker(place: &Place, places: &Places) -> Vec<Finding> {
    match status(place).await {
        Ok(status) => running(&status, places),
        Err(error) => vec![checkup::holder(places).unwrap_or_else(|| absent(&error))],
    }
}

async fn status(place: &Place) -> Result<Status, Error> {
    let broker: Admin = admin(place).await?;
    broker.status().await
}

fn absent(error: &Error) -> Finding {
    problem("broker", error.to_string(), error.hint())
}

fn running(status: &Status, places: &Places) -> Vec<Finding> {
    let text = format!("{} runs, process {}", status.version, status.pid);
    let mut findings = vec![found(Grade::Good, "broker", text, "")];
    let file = places.config.as_deref();
    if file.is_some_and(|file| Path::new(&status.config) != file) {
        let text = format!("it reads {}, and this command another file", status.config);
        findings.push(found(Grade::Note, "configuration", text, "say --config"));
    }
    if let Some(error) = &status.config_error {
        let text = format!("the old one is in force: {error}");
        findings.push(problem("configuration", text, "mend the file, then: brokerctl reload"));
    }
    findings.extend(vault(status));
    let told: Vec<_> = findings.iter().map(|finding| finding.text.clone()).collect();
    let locked = status.vault.state == "locked";
    let said = |problem: &&String| {
        let of_the_vault = locked && problem.contains("the vault is locked");
        of_the_vault || told.iter().any(|text| text.contains(problem.as_str()))
    };
    let rest = status.problems.iter().filter(|problem| !said(problem));
    findings.extend(rest.map(|text| problem("broker", text.clone(), "brokerctl status")));
    findings
}

fn vault(status: &Status) -> Option<Finding> {
    let reason = status.vault.reason.as_deref().unwrap_or("it does not say why");
    let cure = match status.vault.state.as_str() {
        "locked" => "brokerctl unlock",
        "damaged" => "brokerctl vault status",
        _ => return None,
    };
    Some(problem("vault", format!("it is {}: {reason}", status.vault.state), cure))
}

fn problem(about: &'static str, text: String, cure: &str) -> Finding {
    found(Grade::Problem, about, text, cure)
}

fn found(grade: Grade, about: &'static str, text: String, cure: &str) -> Finding {
    Finding { grade, about, text, cure: cure.to_owned() }
}
