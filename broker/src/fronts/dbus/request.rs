//! `org.authbroker.Broker1.Request`: one object for each request that waits for a person.
//!
//! Its path is known to the caller before the call, so that no signal is missed. It tells its
//! caller alone how it goes, and exactly once how it ended; then it is gone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use authbroker_client::wire::broker1::{Progress, ROOT_PATH};
use authbroker_core::failure::{Code, Failure};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::UniqueName;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedObjectPath, Variant, interface};

use super::caller::Turn;
use super::error::{details, error_name};
use super::options::{CORRELATION_ID, Handling, Life};
use crate::broker::Pending;
use crate::fronts::translate;
use crate::sign_ins::Phase;

/// A request's object. It does nothing but let itself be closed.
struct Request {
    owner: UniqueName<'static>,
    close: CancellationToken,
}

#[interface(name = "org.authbroker.Broker1.Request")]
impl Request {
    /// Withdraws the request.
    #[expect(clippy::unused_async, reason = "the bus calls it so")]
    async fn close(&self, #[zbus(header)] header: Header<'_>) -> zbus::fdo::Result<()> {
        if header.sender() != Some(&self.owner) {
            return Err(zbus::fdo::Error::AccessDenied(
                "this request belongs to another".to_owned(),
            ));
        }
        self.close.cancel();
        Ok(())
    }

    /// How it goes: consent, url, device-code (with url, user_code s, url_complete s and expires_in t),
    /// browser-opened, browser-missing, rejected-answer, exchanging, report.
    #[zbus(signal)]
    async fn progress(
        emitter: &SignalEmitter<'_>,
        phase: &str,
        details: HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<()>;

    /// How it ended: 0 done, with account; 1 cancelled; 2 failed, with error and message. With the
    /// correlation_id of the call.
    #[zbus(signal)]
    async fn response(
        emitter: &SignalEmitter<'_>,
        code: u32,
        results: HashMap<&str, Variant<'_>>,
    ) -> zbus::Result<()>;
}

/// Puts a request on the bus and follows it to its end.
pub(super) async fn open(
    connection: &Connection,
    header: &Header<'_>,
    handling: Handling,
    (pending, turn): (Pending, Turn),
) -> Result<OwnedObjectPath, Failure> {
    let owner = header
        .sender()
        .map(UniqueName::to_owned)
        .ok_or_else(|| failed("the bus names no sender"))?;
    let path = path_of(&owner, handling.token.as_deref())?;
    let close = CancellationToken::new();
    let object = Request { owner: owner.clone(), close: close.clone() };
    match connection.object_server().at(path.clone(), object).await {
        Ok(None) => {}
        Ok(Some(_)) => {
            return Err(Failure::new(
                Code::InvalidArgs,
                "this handle_token is in use",
                "choose another",
            ));
        }
        Err(error) => return Err(failed(&error.to_string())),
    }
    let emitter =
        SignalEmitter::new(connection, path.clone()).map_err(|error| failed(&error.to_string()))?;
    let emitter = emitter.set_destination(owner.clone().into());
    let watcher = match handling.life {
        Life::WithSender => Some(owner),
        Life::Detached => None,
    };
    let teller = Teller { emitter, correlation_id: handling.correlation_id };
    let following = follow(connection.clone(), path.clone(), teller, pending, close, watcher);
    tokio::spawn(async move {
        following.await;
        drop(turn);
    });
    Ok(path)
}

fn path_of(owner: &UniqueName<'_>, token: Option<&str>) -> Result<OwnedObjectPath, Failure> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let sender = owner.trim_start_matches(':').replace('.', "_");
    let token =
        token.map_or_else(|| format!("r{}", NEXT.fetch_add(1, Ordering::Relaxed)), str::to_owned);
    let path = format!("{ROOT_PATH}/requests/{sender}/{token}");
    OwnedObjectPath::try_from(path).map_err(|error| failed(&error.to_string()))
}

/// Tells each phase, then the end. A request whose sender has left is withdrawn.
async fn follow(
    connection: Connection,
    path: OwnedObjectPath,
    teller: Teller,
    mut pending: Pending,
    close: CancellationToken,
    watcher: Option<UniqueName<'static>>,
) {
    // A task of its own: it calls the bus, and a call that has its turn at the connection but is
    // not polled, because this one is telling a phase, would keep that phase from being told.
    let gone = tokio::spawn(sender_gone(connection.clone(), watcher));
    let mut gone = AbortOnDropHandle::new(gone);
    loop {
        let phase = tokio::select! {
            phase = pending.next() => phase,
            () = close.cancelled() => Some(Phase::Failed(withdrawn())),
            _ = &mut gone => None,
        };
        let Some(phase) = phase else { break };
        let last = matches!(phase, Phase::Done(_) | Phase::Failed(_));
        if let Err(error) = teller.tell(&phase).await {
            tracing::debug!(%error, "a request's signal was not sent");
        }
        if last {
            break;
        }
    }
    let _gone = connection.object_server().remove::<Request, _>(path).await;
}

/// Tells a request's caller how it goes.
struct Teller {
    emitter: SignalEmitter<'static>,
    correlation_id: Option<String>,
}

impl Teller {
    async fn tell(&self, phase: &Phase) -> zbus::Result<()> {
        let emitter = &self.emitter;
        match phase {
            Phase::Done(id) => {
                let mut results = HashMap::from([("account", Variant::from(id.as_str()))]);
                if let Some(word) = &self.correlation_id {
                    results.insert(CORRELATION_ID, Variant::from(word.as_str()));
                }
                Request::response(emitter, 0, results).await
            }
            Phase::Failed(failure) => {
                let mut results = details(failure, self.correlation_id.as_deref());
                let name = error_name(failure);
                results.insert("error", Variant::from(name.as_str()));
                results.insert("message", Variant::from(failure.message.as_str()));
                let code = if failure.code == Code::Cancelled { 1 } else { 2 };
                Request::response(emitter, code, results).await
            }
            phase => {
                let progress = translate::progress(phase).unwrap_or_default();
                let name = progress.phase.as_deref().unwrap_or_default();
                Request::progress(emitter, name, shown(&progress)).await
            }
        }
    }
}

/// What a phase tells beside its name.
fn shown(progress: &Progress) -> HashMap<&'static str, Variant<'_>> {
    let known = [
        ("url", &progress.url),
        ("user_code", &progress.user_code),
        ("url_complete", &progress.url_complete),
        ("message", &progress.message),
    ];
    let told = known.into_iter();
    let mut shown: HashMap<_, _> =
        told.filter_map(|(name, value)| Some((name, Variant::from(value.as_deref()?)))).collect();
    if let Some(seconds) = progress.expires_in {
        shown.insert("expires_in", Variant::from(seconds));
    }
    shown
}

/// Completes when the sender leaves the bus; never, where nobody is watched.
async fn sender_gone(connection: Connection, sender: Option<UniqueName<'static>>) {
    if let Some(sender) = sender
        && let Ok(bus) = DBusProxy::new(&connection).await
        && let Ok(mut changes) =
            bus.receive_name_owner_changed_with_args(&[(0, sender.as_str()), (2, "")]).await
    {
        // It may have left before we listened.
        if bus.name_has_owner(sender.into()).await.unwrap_or(false) {
            changes.next().await;
        }
        return;
    }
    std::future::pending::<()>().await;
}

fn withdrawn() -> Failure {
    Failure::new(Code::Cancelled, "the request was withdrawn", "ask again")
}

fn failed(why: &str) -> Failure {
    Failure::new(Code::Internal, format!("no request object: {why}"), "try again")
}
