//! `brokerctl provider list`: the providers that are configured.

use std::collections::BTreeMap;

use authbroker::config::{Flow, ProviderSettings};
use authbroker::setup;
use serde_json::json;

use super::{running, settings, state_dir};
use crate::args::Place;
use crate::commands::local_time;
use crate::failure::Failure;
use crate::print::Printer;

/// How many accounts each provider has; nothing where no broker runs that knows.
type Counts = Option<BTreeMap<String, usize>>;

pub(super) async fn run(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let settings = settings(place)?;
    let counts = counts(place).await?;
    let state_dir = state_dir(place);
    let providers = settings.providers.values().map(|provider| {
        let ends = state_dir.as_deref().and_then(|dir| setup::registration_ends(provider, dir));
        let count = counts.as_ref().map(|counts| *counts.get(provider.name.as_str()).unwrap_or(&0));
        (provider, count, ends)
    });
    if printer.json() {
        let documents: Vec<_> = providers.map(document).collect();
        printer.document(&documents)?;
        return Ok(());
    }
    if settings.providers.is_empty() {
        printer.say(
            "No provider is configured. Add one with: brokerctl provider add ISSUER --client-id ID",
        );
        return Ok(());
    }
    let rows: Vec<_> = providers.map(row).collect();
    printer.table(
        &["PROVIDER", "ISSUER", "CLIENT", "SIGN-IN", "ACCOUNTS", "REGISTERED UNTIL"],
        &rows,
    )?;
    Ok(())
}

async fn counts(place: &Place) -> Result<Counts, Failure> {
    let Some(broker) = running(place).await? else { return Ok(None) };
    let mut counts = BTreeMap::new();
    for account in broker.client().accounts().await? {
        *counts.entry(account.provider).or_insert(0) += 1;
    }
    Ok(Some(counts))
}

fn document(
    (provider, count, ends): (&ProviderSettings, Option<usize>, Option<u64>),
) -> serde_json::Value {
    json!({
        "provider": provider.name.as_str(),
        "issuer": provider.issuer.as_str(),
        "client_id": provider.client_id,
        "flow": flow(provider.flow),
        "accounts": count,
        "client_secret_expires_at": ends,
    })
}

fn row((provider, count, ends): (&ProviderSettings, Option<usize>, Option<u64>)) -> Vec<String> {
    vec![
        provider.name.to_string(),
        provider.issuer.to_string(),
        provider.client_id.clone(),
        flow(provider.flow).to_owned(),
        count.map_or_else(|| "-".to_owned(), |count| count.to_string()),
        ends.map(local_time).unwrap_or_default(),
    ]
}

const fn flow(flow: Flow) -> &'static str {
    match flow {
        Flow::Browser => "browser",
        Flow::Device => "device",
        Flow::ClientCredentials => "client_credentials",
    }
}
