//! `brokerctl token`: an access token for a script.

use std::time::Duration;

use authbroker_client::{
    AccessToken, AcquireRequest, Client, Error, ErrorCode, Step, TokenRequest,
};
use serde_json::json;

use super::{client, device, expires_at};
use crate::args::{Place, Token};
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(place: &Place, args: Token, printer: &Printer) -> Result<(), Failure> {
    let broker = client(place).await?;
    let token = match broker.token(request(&args)).await {
        Err(error) if args.interactive && needs_person(&error) => {
            sign_in(&broker, &args, printer).await?;
            broker.token(request(&args)).await?
        }
        answer => answer?,
    };
    if printer.json() {
        printer.document(&document(&token))?;
    } else if args.header {
        printer.line(&format!("Authorization: {}", *token.authorization()))?;
    } else {
        printer.line(token.expose())?;
    }
    Ok(())
}

fn request(args: &Token) -> TokenRequest {
    let mut request = args.wanted.clone().request();
    if let Some(seconds) = args.min_ttl {
        request = request.min_ttl(Duration::from_secs(u64::from(seconds)));
    }
    if args.force { request.force() } else { request }
}

fn needs_person(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            ErrorCode::InteractionRequired
                | ErrorCode::ConsentRequired
                | ErrorCode::NoSuchAccount
                | ErrorCode::VaultDamaged
        )
    )
}

/// Has the broker open the browser, and waits.
async fn sign_in(broker: &Client, args: &Token, printer: &Printer) -> Result<(), Failure> {
    let wanted = &args.wanted;
    let mut request = AcquireRequest::new().account(wanted.account.clone().unwrap_or_default());
    for resource in &wanted.resources {
        request = request.resource(resource);
    }
    for scope in &wanted.scopes {
        request = request.scope(scope);
    }
    let mut pending = broker.acquire(request).await?;
    loop {
        let waiting = printer.wait("Waiting for a person");
        let step = pending.next().await?;
        drop(waiting);
        match step {
            Step::Done(_) => return Ok(()),
            Step::Progress(progress) => match (progress.phase.as_deref(), &progress.url) {
                (Some("consent"), _) => {
                    printer.say("Somebody is asked whether this program may have that …");
                }
                (Some("url"), Some(url)) => {
                    printer.say(&format!("Sign in in your browser: {url}"));
                }
                (Some("device-code"), _) => {
                    printer.say(&device::sentence(&progress).unwrap_or_default());
                }
                _ => {}
            },
        }
    }
}

/// The token as contract §6 has it.
fn document(token: &AccessToken) -> serde_json::Value {
    json!({
        "access_token": token.expose(),
        "token_type": token.token_type(),
        "expires_at": expires_at(token),
        "scopes": token.scopes,
        "resource": token.resource,
        "account": token.account,
        "subject": token.subject,
    })
}
