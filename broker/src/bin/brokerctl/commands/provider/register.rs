//! `brokerctl provider register`: a client that the provider makes for us (RFC 7591).

use std::io::Read as _;
use std::path::Path;

use authbroker::config::Flow;
use authbroker::setup::{self, Finding, Grade, Offered};

use super::draft::Draft;
use super::state_dir;
use crate::args::{Place, Register};
use crate::failure::Failure;
use crate::print::Printer;

/// Where the browser comes back after a sign-out.
const SIGNED_OUT: &str = "/signed-out";

pub(super) async fn run(
    place: &Place,
    register: Register,
    printer: &Printer,
) -> Result<(), Failure> {
    let state_dir = state_dir(place)
        .ok_or_else(|| Failure::File("there is no home folder, and no --state-dir".to_owned()))?;
    let token = register.initial_access_token.as_deref().map(read_token).transpose()?;
    let mut draft = Draft::of(place, register.entry, printer, |_| ()).await?;
    if draft.survey.end_session == Offered::Yes {
        draft.provider.post_logout_path = Some(SIGNED_OUT.to_owned());
    }
    // Before the provider has done anything: what cannot be written should not be registered.
    draft.provider.check(draft.file())?;
    let settings = draft.provider.settings()?;
    let registering = printer.wait("Registering the client");
    let client = setup::register(&settings, &register.client_name, token, &state_dir).await?;
    drop(registering);
    draft.provider.client_id.clone_from(&client.client_id);
    draft.provider.client_auth = client.client_auth;
    draft.provider.remark = format!(
        "Registered and added by brokerctl provider register; the rest of the registration is in {}",
        client.kept.display()
    );
    let again = format!(
        "The provider has registered the client {0}. It can be added later: \
         brokerctl provider add {1} --client-id {0}",
        client.client_id, settings.issuer
    );
    if draft.provider.flow == Flow::Browser && draft.provider.ports.is_empty() {
        draft.survey.findings.push(any_port());
    }
    draft.add(place, printer).await.inspect_err(|_| printer.say(&again))
}

/// What a person wants to know whose provider does not do as RFC 8252 §7.3 says.
fn any_port() -> Finding {
    Finding {
        grade: Grade::Note,
        about: "redirect URI",
        text: "registered for any port of this machine; some providers compare letter by letter"
            .to_owned(),
        cure: "register again with --port 8400, if a sign-in is refused for its redirect URI"
            .to_owned(),
    }
}

/// Reads the provider's leave to register. It is never an argument: those are for everybody to see.
fn read_token(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|error| Failure::File(format!("{}: {error}", file.display())))?;
    Ok(text.trim().to_owned())
}
