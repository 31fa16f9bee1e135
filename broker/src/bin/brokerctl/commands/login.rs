//! `brokerctl login`: a person signs in.

use authbroker_client::wire::admin1::SignIn;
use authbroker_client::{Admin, Pending, Progress, Step};
use serde_json::json;
use tokio::sync::mpsc;

use super::{admin, browser, device};
use crate::args::{Login, Place};
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, login: Login, printer: &Printer) -> Result<(), Failure> {
    let broker = admin(place).await?;
    let browser = match (login.no_browser, login.open) {
        (true, _) => Browser::None,
        (false, false) => Browser::Own,
        (false, true) => Browser::OwnForCodes,
    };
    let pending = broker.sign_in(&request(login)).await?;
    let account = follow(pending, browser, printer).await?;
    greet(&broker, &account, printer).await;
    if printer.json() {
        printer.document(&json!({"account": account}))?;
    } else {
        printer.line(&account)?;
    }
    Ok(())
}

/// Whether a browser is opened here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Browser {
    /// For a sign-in in the browser.
    Own,
    /// For the page where a code is typed, too.
    OwnForCodes,
    None,
}

fn request(login: Login) -> SignIn {
    SignIn {
        provider: login.provider.unwrap_or_default(),
        device: Some(login.device),
        scopes: login.scopes,
        resource: login.resources,
        prompt: login.prompt,
        acr_values: login.acr,
        max_age: None,
        token_type: None,
        login_hint: login.login_hint,
        timeout: login.timeout,
        correlation_id: None,
    }
}

/// Waits for the end, and meanwhile shows the way and takes what is pasted.
async fn follow(
    mut pending: Pending,
    browser: Browser,
    printer: &Printer,
) -> Result<String, Failure> {
    let mut pasted = match browser {
        Browser::None => browser::pasted_lines(),
        Browser::Own | Browser::OwnForCodes => mpsc::channel(1).1,
    };
    let mut wait = "Asking the provider";
    loop {
        // Where a person types, nothing turns.
        let waiting = (browser != Browser::None).then(|| printer.wait(wait));
        tokio::select! {
            step = pending.next() => {
                drop(waiting);
                match step? {
                    Step::Done(account) => return Ok(account),
                    Step::Progress(progress) => {
                        tell(&progress, browser, printer).await?;
                        wait = waits_for(&progress).unwrap_or(wait);
                    }
                }
            }
            Some(line) = pasted.recv() => {
                if !line.trim().is_empty() && !browser::deliver(&line).await {
                    printer.say("That is not the address that this sign-in waits for; paste the whole address of the page that did not load.");
                }
            }
        }
    }
}

/// What is waited for after this, where that is something else than before.
fn waits_for(progress: &Progress) -> Option<&'static str> {
    match progress.phase.as_deref() {
        Some("url" | "device-code") => Some("Waiting for you to sign in"),
        Some("exchanging") => Some("Waiting for the provider"),
        _ => None,
    }
}

async fn tell(progress: &Progress, browser: Browser, printer: &Printer) -> Result<(), Failure> {
    let url = progress.url.as_deref().unwrap_or_default();
    match (progress.phase.as_deref(), browser) {
        (Some("url"), Browser::None) if printer.json() => printer.document(progress)?,
        (Some("url"), Browser::None) => {
            printer.line(url)?;
            printer.say("Open this address in a browser. If its last page does not load, paste that page's address here.");
        }
        (Some("url"), Browser::Own | Browser::OwnForCodes) => {
            printer.say("Opening your browser to sign in …");
            if !browser::open(url).await {
                printer.say("No browser could be opened. Open this address by hand:");
                printer.say(url);
            }
        }
        (Some("device-code"), browser) => {
            device::show(progress, printer)?;
            let page = device::address(progress).unwrap_or_default();
            if browser == Browser::OwnForCodes && !browser::open(page).await {
                printer.say("No browser could be opened here.");
            }
        }
        (Some("exchanging"), _) => printer.say("The provider has answered."),
        _ => {
            if let Some(message) = &progress.message {
                printer.say(&format!("note: {message}"));
            }
        }
    }
    Ok(())
}

async fn greet(broker: &Admin, account: &str, printer: &Printer) {
    let accounts = broker.client().accounts().await.unwrap_or_default();
    if let Some(account) = accounts.iter().find(|known| known.id == account) {
        printer.say(&format!("You are signed in as {}.", account.label));
        if !account.state_reason.is_empty() {
            printer.say(&format!("note: {}", account.state_reason));
        }
    }
}
