//! What was found somewhere, told to a person or to a script.

use authbroker::setup::{Finding, Grade};

/// What was found, for a person: a line each, and below it what helps.
pub(super) fn lines(findings: &[Finding]) -> Vec<String> {
    let line = |finding: &Finding| {
        let mark = grade(finding.grade);
        let line = format!("  {mark:<8} {:<16} {}", finding.about, finding.text);
        let cure = (!finding.cure.is_empty()).then(|| format!("{:28}hint: {}", "", finding.cure));
        std::iter::once(line).chain(cure).collect::<Vec<_>>()
    };
    findings.iter().flat_map(line).collect()
}

const fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Good => "ok",
        Grade::Note => "note",
        Grade::Problem => "problem",
    }
}

/// What was found, for a script.
pub(super) fn documents(findings: &[Finding]) -> Vec<serde_json::Value> {
    findings.iter().map(document).collect()
}

/// One thing that was found.
pub(super) fn document(finding: &Finding) -> serde_json::Value {
    serde_json::json!({
        "grade": grade(finding.grade),
        "about": finding.about,
        "text": finding.text,
        "hint": finding.cure,
    })
}
