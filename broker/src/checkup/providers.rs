//! Where people sign in: only what stands in the way. `provider check` tells the rest.

use std::net::{Ipv4Addr, TcpListener};

use super::{Finding, Grade};
use crate::config::{Flow, ProviderSettings};
use crate::setup;

pub(super) async fn look(settings: &ProviderSettings) -> Vec<Finding> {
    let mut findings = match setup::survey(settings, None).await {
        Ok(survey) => worth_a_word(survey.findings),
        Err(failure) => vec![Finding::problem("metadata", failure.message, failure.hint)],
    };
    findings.extend(ports(settings));
    findings
}

/// What does not work, and the clocks, which most often are the reason.
fn worth_a_word(findings: Vec<Finding>) -> Vec<Finding> {
    let basic = |finding: &Finding| ["metadata", "clock"].contains(&finding.about);
    let wanted = |finding: &Finding| finding.grade == Grade::Problem || basic(finding);
    findings.into_iter().filter(wanted).collect()
}

/// Whether a sign-in could listen on one of the registered ports.
fn ports(settings: &ProviderSettings) -> Option<Finding> {
    if settings.flow != Flow::Browser || settings.ports.is_empty() {
        return None;
    }
    let is_taken = |port: &&u16| TcpListener::bind((Ipv4Addr::LOCALHOST, **port)).is_err();
    let taken: Vec<_> = settings.ports.iter().filter(is_taken).collect();
    let about = "redirect ports";
    let words: Vec<_> = taken.iter().copied().map(u16::to_string).collect();
    let text = format!("another program listens on {}", words.join(", "));
    let cure = format!("ss -ltnp 'sport = :{}' names it; end it", words.first()?);
    Some(if taken.len() == settings.ports.len() {
        let cure = format!("{cure}, or register and configure another port");
        Finding::problem(about, format!("{text}: nobody can sign in"), cure)
    } else {
        Finding::note(about, text, cure)
    })
}
