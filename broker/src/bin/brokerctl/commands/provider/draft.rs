//! A new entry, completed by what its provider says of itself.

use std::path::{Path, PathBuf};

use authbroker::config::{Flow, NewProvider, name_for};
use authbroker::setup::{self, Grade, Survey};
use serde_json::json;

use super::{config_file, documents, lines, take_up};
use crate::args::{Entry, Place};
use crate::failure::Failure;
use crate::print::Printer;

/// What a sign-in asks for, where the provider does not say that it knows less.
const USUAL: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// An entry that can be added, and what was found at its provider.
pub(super) struct Draft {
    pub(super) provider: NewProvider,
    pub(super) survey: Survey,
    file: PathBuf,
}

impl Draft {
    /// Makes an entry of what was said on the command line and of what the provider says. Nothing is
    /// written; but it could be, or this fails.
    pub(super) async fn of(
        place: &Place,
        entry: Entry,
        printer: &Printer,
        complete: impl FnOnce(&mut NewProvider),
    ) -> Result<Self, Failure> {
        let (file, given) = (config_file(place)?, entry.scopes.clone());
        let mut provider = new_provider(entry)?;
        complete(&mut provider);
        provider.scopes = scopes(&given, provider.flow, None);
        provider.check(&file)?;
        let _looking = printer.wait("Asking the provider");
        let mut survey = setup::survey(&provider.settings()?, None).await?;
        let known = scopes(&given, provider.flow, survey.scopes.as_deref());
        if known != provider.scopes {
            provider.scopes = known;
            survey = setup::survey(&provider.settings()?, None).await?;
        }
        Ok(Self { provider, survey, file })
    }

    /// The file that the entry is added to.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Adds the entry, tells a running daemon, and says what was found and what comes next.
    pub(super) async fn add(self, place: &Place, printer: &Printer) -> Result<(), Failure> {
        let Self { provider, survey, file } = self;
        provider.add_to(&file)?;
        for line in lines(&survey.findings) {
            printer.say(&line);
        }
        printer.say(&format!("Added {} to {}.", provider.name, file.display()));
        take_up(place, &file, printer).await?;
        printer.say(&next_step(&provider, &survey));
        if printer.json() {
            printer.document(&json!({
                "provider": provider.name,
                "issuer": provider.issuer,
                "client_id": provider.client_id,
                "config": file.display().to_string(),
                "findings": documents(&survey.findings),
            }))?;
        } else {
            printer.line(&provider.name)?;
        }
        Ok(())
    }
}

/// What a person does next.
fn next_step(provider: &NewProvider, survey: &Survey) -> String {
    let name = &provider.name;
    let problem = survey.findings.iter().any(|finding| finding.grade == Grade::Problem);
    match provider.flow {
        _ if problem => format!(
            "Next: do what stands beside each problem, then run brokerctl provider check {name}"
        ),
        Flow::ClientCredentials => format!("Next: brokerctl token {name}"),
        Flow::Browser | Flow::Device => format!("Next: brokerctl login {name}"),
    }
}

fn new_provider(entry: Entry) -> Result<NewProvider, Failure> {
    let name = entry.name.or_else(|| name_for(&entry.issuer));
    let no_name = || Failure::File(format!("{} suggests no name: say --name NAME", entry.issuer));
    Ok(NewProvider {
        name: name.ok_or_else(no_name)?,
        issuer: entry.issuer,
        client_id: String::new(),
        scopes: Vec::new(),
        resources: entry.resources,
        flow: entry.flow,
        ports: entry.ports,
        post_logout_path: None,
        client_auth: None,
        ca_file: entry.ca_file.as_deref().map(whole).transpose()?,
        remark: String::new(),
    })
}

/// A path as it stands in the configuration: the daemon has another working folder.
pub(super) fn whole(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::File(format!("{}: {error}", path.display())))
}

/// The usual scopes, as far as the provider knows them, and those that were asked for.
fn scopes(given: &[String], flow: Flow, known: Option<&[String]>) -> Vec<String> {
    let usual = USUAL.into_iter().filter(|_| flow != Flow::ClientCredentials);
    let is_known = |word: &&str| {
        *word == "openid" || known.is_none_or(|known| known.iter().any(|name| name == word))
    };
    let mut scopes: Vec<_> = usual.filter(is_known).map(str::to_owned).collect();
    scopes.extend(given.iter().filter(|word| !USUAL.contains(&word.as_str())).cloned());
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_scopes_are_asked_for_as_far_as_they_are_known() {
        let words =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let given = words(&["mail.read", "openid"]);
        let known = words(&["openid", "email"]);
        assert_eq!(
            scopes(&given, Flow::Browser, None),
            words(&["openid", "profile", "email", "offline_access", "mail.read"])
        );
        let fewer = scopes(&given, Flow::Device, Some(&known));
        assert_eq!(fewer, words(&["openid", "email", "mail.read"]));
        assert_eq!(scopes(&given, Flow::ClientCredentials, None), words(&["mail.read"]));
    }
}
