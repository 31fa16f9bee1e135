//! `brokerctl provider check`: what a provider can do, and what stands in the way.

use std::path::Path;

use authbroker::config::ProviderSettings;
use authbroker::setup::{self, Finding, Grade};
use serde_json::json;

use super::{documents, lines, settings, state_dir};
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

/// One provider, and what was found there.
struct Checked<'a> {
    provider: &'a ProviderSettings,
    findings: Vec<Finding>,
}

pub(super) async fn run(
    place: &Place,
    wanted: Option<String>,
    printer: &Printer,
) -> Result<(), Failure> {
    let (settings, state_dir) = (settings(place)?, state_dir(place));
    let is_wanted = |provider: &&ProviderSettings| {
        wanted.as_ref().is_none_or(|wanted| provider.name.as_str() == wanted)
    };
    let looking = printer.wait("Asking the providers");
    let mut checked = Vec::new();
    for provider in settings.providers.values().filter(is_wanted) {
        checked.push(check(provider, state_dir.as_deref()).await);
    }
    drop(looking);
    if let (Some(wanted), true) = (wanted, checked.is_empty()) {
        return Err(Failure::NoProvider(wanted));
    }
    tell(&checked, printer)?;
    let unusable = checked.iter().filter(|checked| !checked.is_usable());
    let unusable: Vec<_> = unusable.map(|checked| checked.provider.name.to_string()).collect();
    if unusable.is_empty() { Ok(()) } else { Err(Failure::Unusable(unusable)) }
}

async fn check<'a>(provider: &'a ProviderSettings, state_dir: Option<&Path>) -> Checked<'a> {
    let findings = match setup::survey(provider, state_dir).await {
        Ok(survey) => survey.findings,
        Err(failure) => vec![Finding {
            grade: Grade::Problem,
            about: "metadata",
            text: failure.message,
            cure: failure.hint,
        }],
    };
    Checked { provider, findings }
}

impl Checked<'_> {
    fn is_usable(&self) -> bool {
        self.findings.iter().all(|finding| finding.grade != Grade::Problem)
    }
}

fn tell(checked: &[Checked<'_>], printer: &Printer) -> Result<(), Failure> {
    if printer.json() {
        let documents: Vec<_> = checked.iter().map(document).collect();
        printer.document(&documents)?;
        return Ok(());
    }
    for checked in checked {
        printer.line(&format!("{} ({})", checked.provider.name, checked.provider.issuer))?;
        for line in lines(&checked.findings) {
            printer.line(&line)?;
        }
    }
    Ok(())
}

fn document(checked: &Checked<'_>) -> serde_json::Value {
    json!({
        "provider": checked.provider.name.as_str(),
        "issuer": checked.provider.issuer.as_str(),
        "usable": checked.is_usable(),
        "findings": documents(&checked.findings),
    })
}
