//! `brokerctl why`, `apps` and `grants`: who may have what, and which rule says so.

use authbroker_client::wire::policy::{Answer, Explanation, Grant, Revoke, Why};

use super::{admin, local_time};
use crate::args::{self, GrantsCommand, Place};
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn why(place: &Place, args: args::Why, printer: &Printer) -> Result<(), Failure> {
    let request = Why {
        app: args.app,
        account: args.account.unwrap_or_default(),
        resource: args.resource,
        scopes: args.scopes,
    };
    let told = admin(place).await?.why(&request).await?;
    if printer.json() {
        printer.document(&told)?;
        return Ok(());
    }
    for (name, value) in lines(&told) {
        printer.line(&format!("{name:<10}{value}"))?;
    }
    for (index, needed) in told.needed.iter().enumerate() {
        let name = if index == 0 { "to change" } else { "" };
        printer.line(&format!("{name:<10}{needed}"))?;
    }
    Ok(())
}

fn lines(told: &Explanation) -> Vec<(&'static str, String)> {
    let account = match told.account.as_str() {
        "" => format!("whoever signs in at {}", told.provider),
        id => id.to_owned(),
    };
    let advice = match told.level {
        0 | 1 => ": nothing proves that it is this app",
        _ => "",
    };
    let all = |words: &[String], all: &str| match words {
        [] => all.to_owned(),
        words => words.join(" "),
    };
    vec![
        ("decision", told.decision.clone()),
        ("because", told.because.clone()),
        ("app", told.app.clone()),
        ("level", format!("{} ({}){advice}", told.level, told.level_name)),
        ("account", account),
        ("for", all(&told.resource, "the provider itself")),
        ("scopes", all(&told.scopes, "all that were granted")),
    ]
}

pub(crate) async fn apps(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let apps = admin(place).await?.apps().await?.apps;
    if printer.json() {
        printer.document(&apps)?;
        return Ok(());
    }
    if apps.is_empty() {
        printer.say("No app has asked for anything yet.");
        return Ok(());
    }
    let row = |app: authbroker_client::wire::policy::App| {
        vec![
            app.app,
            format!("{} ({})", app.level, app.level_name),
            app.count.to_string(),
            app.refused.to_string(),
            local_time(app.last),
        ]
    };
    let rows: Vec<_> = apps.into_iter().map(row).collect();
    printer.table(&["APP", "LEVEL", "ASKED", "NOT GIVEN", "LAST"], &rows)?;
    Ok(())
}

pub(crate) async fn grants(
    place: &Place,
    command: GrantsCommand,
    printer: &Printer,
) -> Result<(), Failure> {
    match command {
        GrantsCommand::List => list(place, printer).await,
        GrantsCommand::Allow(answer) => give(place, "allow", answer, printer).await,
        GrantsCommand::Deny(answer) => give(place, "deny", answer, printer).await,
        GrantsCommand::Revoke { which } => revoke(place, which, printer).await,
    }
}

async fn list(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let grants = admin(place).await?.grants().await?.grants;
    if printer.json() {
        printer.document(&grants)?;
        return Ok(());
    }
    if grants.is_empty() {
        printer.say("Nobody has answered anything yet. Rules are in the configuration.");
        return Ok(());
    }
    table(grants, printer)
}

fn table(grants: Vec<Grant>, printer: &Printer) -> Result<(), Failure> {
    let rows: Vec<_> = grants.into_iter().map(row).collect();
    let head = ["ID", "APP", "", "ACCOUNT", "FOR", "SCOPES", "LASTS", "USED", "LAST"];
    printer.table(&head, &rows)?;
    Ok(())
}

fn row(grant: Grant) -> Vec<String> {
    let all = |words: Option<Vec<String>>| words.map_or("*".to_owned(), |words| words.join(" "));
    let lasts = match (grant.until, grant.terminal) {
        (Some(until), _) => format!("until {}", local_time(until)),
        (None, Some(terminal)) => format!("{}, in the terminal of {terminal}", grant.lasts),
        (None, None) => grant.lasts,
    };
    vec![
        grant.id.to_string(),
        grant.app,
        grant.decision,
        grant.account,
        all(grant.resource),
        all(grant.scopes),
        lasts,
        grant.uses.to_string(),
        local_time(grant.last_used.unwrap_or(0)),
    ]
}

async fn give(
    place: &Place,
    decision: &str,
    args: args::Answer,
    printer: &Printer,
) -> Result<(), Failure> {
    let answer = Answer {
        app: args.app,
        decision: decision.to_owned(),
        account: args.account.unwrap_or_default(),
        resource: args.resources,
        scopes: args.scopes,
        lasts: args.lasts.map(u64::from),
    };
    let answered = admin(place).await?.grant(&answer).await?;
    if printer.json() {
        printer.document(&answered)?;
        return Ok(());
    }
    printer.line(&answered.grant.id.to_string())?;
    if let Some(overruled) = answered.overruled {
        printer.say(&format!("It is remembered, but does not decide: {overruled}."));
    }
    Ok(())
}

async fn revoke(place: &Place, which: String, printer: &Printer) -> Result<(), Failure> {
    let which = match which.parse() {
        Ok(id) => Revoke { id: Some(id), app: None },
        Err(_) => Revoke { id: None, app: Some(which) },
    };
    let gone = admin(place).await?.revoke(&which).await?.grants;
    if gone.is_empty() {
        return Err(Failure::NoAnswer);
    }
    if printer.json() {
        printer.document(&gone)?;
        return Ok(());
    }
    let count = if gone.len() == 1 {
        "One answer is".to_owned()
    } else {
        format!("{} answers are", gone.len())
    };
    printer.say(&format!("{count} forgotten."));
    Ok(())
}
