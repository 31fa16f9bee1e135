//! What a line says, as JSON, before it has its place in the chain.

use authbroker_core::audit::{ChainKey, Line};
use authbroker_core::caller::Door;
use authbroker_core::failure::{Code, printable};
use authbroker_core::ids::AccountId;
use authbroker_core::policy::Decision;
use authbroker_core::resource::Resource;
use authbroker_core::time::UnixTime;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// The members that a line has from the chain, and no body may bring along.
const OF_CHAIN: [&str; 3] = ["seq", "key", "mac"];

/// How many resources and scopes a line names: a caller could make them up by the thousand.
const RESOURCES: usize = 8;
const SCOPES: usize = 32;

/// The members of a line, in their order. What is unknown or empty is left out.
#[derive(Serialize)]
struct Body<'a> {
    time: String,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Caller>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize)]
struct Caller {
    identity: String,
    level: u8,
    uid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    door: &'static str,
}

/// The body of a line. Whatever a stranger chose is made safe to print.
pub(super) fn of(line: &Line) -> String {
    let record = &line.record;
    let words = |text: &Option<String>| text.as_deref().map(printable);
    let body = Body {
        time: time(line.time),
        event: record.event.name(),
        caller: record.caller.as_ref().map(caller),
        account: record.account.as_ref().map(AccountId::as_str),
        resource: some(RESOURCES, record.resources.iter().map(Resource::as_str)),
        scopes: some(SCOPES, record.scopes.iter()),
        decision: record.decision.map(Decision::name),
        rule: record.basis.as_ref().map(|basis| printable(&basis.to_string())),
        error: record.error.map(Code::name),
        fingerprint: record.fingerprint.map(|fingerprint| fingerprint.to_string()),
        count: line.repeats.map(|repeats| repeats.count),
        since: line.repeats.map(|repeats| time(repeats.since)),
        correlation_id: words(&record.correlation_id),
        detail: words(&record.detail),
    };
    // Numbers, texts and lists of texts can always be written as JSON.
    serde_json::to_string(&body).unwrap_or_default()
}

/// The first few of what a caller named, and a mark where there were more.
fn some<'a>(most: usize, mut names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut told: Vec<_> = names.by_ref().take(most).map(printable).collect();
    told.extend(names.next().map(|_| "…".to_owned()));
    told
}

fn caller(caller: &authbroker_core::caller::Caller) -> Caller {
    Caller {
        identity: printable(&caller.app().to_string()),
        level: caller.level() as u8,
        uid: caller.uid,
        pid: caller.pid,
        door: match caller.door {
            Door::Socket => "socket",
            Door::Admin => "admin",
            Door::Bus => "bus",
            Door::Minted => "minted",
        },
    }
}

/// A moment as RFC 3339 writes it: in UTC, to the millisecond, so that times sort as texts.
fn time(moment: UnixTime) -> String {
    let millis = i64::try_from(moment.since_epoch().as_millis()).unwrap_or(0);
    let stamp = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{stamp:.3}")
}

/// A line that waited outside of the chain, brought into the shape of a body: one line of JSON that
/// has nothing of the chain's. `None` where it is none: it was torn, or somebody wrote there.
pub(super) fn of_waiting(text: &str) -> Option<String> {
    let mut members: Map<String, Value> = serde_json::from_str(text).ok()?;
    members.retain(|name, _| !OF_CHAIN.contains(&name.as_str()));
    members.insert("waited".to_owned(), Value::Bool(true));
    serde_json::to_string(&members).ok()
}

/// The words for a change of the chain's key.
pub(super) fn new_key(key: &ChainKey) -> String {
    format!("the vault has a new key; the chain goes on with {}", key.id())
}
