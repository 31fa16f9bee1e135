//! Which method a call means: an index, nothing more.

use std::borrow::Cow;
use std::sync::Arc;

use authbroker_client::wire::frame::Reply;
use authbroker_client::wire::{admin1, broker1};
use authbroker_core::caller::{Caller, Door};
use authbroker_core::failure::{Code, Failure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Services, service};
use crate::fronts::translate;

/// Where replies go. A method that streams sends several.
pub(super) type Replies = mpsc::Sender<Reply>;

/// One peer's way to the methods.
pub(super) struct Router {
    pub(super) services: Arc<Services>,
    pub(super) caller: Caller,
    /// What ends the daemon's doors, and what is waited for then: for a door that a call opens.
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// How often a method answers.
pub(super) enum Answers {
    /// Once.
    One,
    /// As often as there is something to tell, to a peer that takes more than one answer.
    Many(Telling),
}

/// The methods that may answer often.
#[derive(Clone, Copy)]
pub(super) enum Telling {
    Acquire,
    SignOut,
    Watch,
    SignIn,
    Audit,
    ServeQuestions,
}

impl Router {
    pub(super) fn answers(&self, call: &Call<'_>) -> Answers {
        match call.named() {
            (broker1::INTERFACE, "Acquire") => Answers::Many(Telling::Acquire),
            (broker1::INTERFACE, "SignOut") => Answers::Many(Telling::SignOut),
            (broker1::INTERFACE, "Watch") => Answers::Many(Telling::Watch),
            (admin1::INTERFACE, method) if self.is_admins() => match method {
                "SignIn" => Answers::Many(Telling::SignIn),
                "Audit" => Answers::Many(Telling::Audit),
                "ServeQuestions" => Answers::Many(Telling::ServeQuestions),
                _ => Answers::One,
            },
            _ => Answers::One,
        }
    }

    fn is_admins(&self) -> bool {
        self.caller.door == Door::Admin
    }

    /// Answers a call of a method that answers once.
    pub(super) async fn answer(&self, call: &Call<'_>) -> Reply {
        let parameters = call.parameters;
        match call.named() {
            (broker1::INTERFACE, "GetToken") => self.get_token(parameters).await,
            (broker1::INTERFACE, "GetHeaders") => self.get_headers(parameters).await,
            (broker1::INTERFACE, "ReportChallenge") => self.report_challenge(parameters).await,
            (broker1::INTERFACE, "WhoAmI") => self.who_am_i(),
            (broker1::INTERFACE, "ListAccounts") => self.list_accounts(),
            (service::INTERFACE, method) => service::answer(method, parameters, self.caller.door),
            (admin1::INTERFACE, method) if self.is_admins() => match method {
                "Status" => self.status(),
                "Reload" => self.reload(),
                "VaultStatus" => self.vault_status().await,
                "Unlock" => self.unlock(parameters).await,
                "Lock" => self.lock().await,
                "Rekey" => self.rekey(parameters).await,
                "VerifyAudit" => self.verify_audit().await,
                "Why" => self.why(parameters).await,
                "ListApps" => self.list_apps().await,
                "ListGrants" => self.list_grants().await,
                "Grant" => self.grant(parameters).await,
                "Revoke" => self.revoke(parameters).await,
                "MintSocket" => self.mint_socket(parameters).await,
                "ListSockets" => self.list_sockets(),
                "CloseSocket" => self.close_socket(parameters).await,
                "AnswerQuestion" => self.answer_question(parameters),
                _ => service::no_method(&call.method),
            },
            (broker1::INTERFACE, _) => service::no_method(&call.method),
            (interface, _) => service::no_interface(interface),
        }
    }

    /// Answers a call of a method that may answer often, on `replies`.
    pub(super) async fn tell(&self, method: Telling, call: &Call<'_>, replies: Replies) {
        let (parameters, more) = (call.parameters, call.more);
        match method {
            Telling::Acquire => self.acquire(parameters, more, replies).await,
            Telling::SignOut => self.sign_out(parameters, more, replies).await,
            Telling::Watch => self.watch(more, replies).await,
            Telling::SignIn => self.sign_in(parameters, more, replies).await,
            Telling::Audit => self.audit(parameters, more, replies).await,
            Telling::ServeQuestions => self.serve_questions(more, replies).await,
        }
    }
}

/// A call, as it lies in the message.
#[derive(Deserialize)]
pub(super) struct Call<'a> {
    /// Interface and method, parted by the last dot.
    #[serde(borrow)]
    pub(super) method: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) parameters: Parameters<'a>,
    /// Whether the caller takes several replies.
    #[serde(default)]
    pub(super) more: bool,
    /// Whether the caller wants no reply at all.
    #[serde(default)]
    pub(super) oneway: bool,
}

/// A method's parameters, still as text.
pub(super) type Parameters<'a> = Option<&'a RawValue>;

impl Call<'_> {
    fn named(&self) -> (&str, &str) {
        self.method.rsplit_once('.').unwrap_or(("", ""))
    }
}

/// Reads a method's parameters. What is null counts as left out.
pub(super) fn read<T: DeserializeOwned + Default>(
    parameters: Parameters<'_>,
) -> Result<T, Failure> {
    let Some(text) = parameters.map(RawValue::get) else { return Ok(T::default()) };
    // Nearly always there is no null, and nothing to be taken out first.
    let read = serde_json::from_str(text).or_else(|_| {
        let mut members: Value = serde_json::from_str(text)?;
        if let Value::Object(members) = &mut members {
            members.retain(|_, value| !value.is_null());
        }
        serde_json::from_value(members)
    });
    read.map_err(|error| {
        let message = format!("the parameters are not understood: {error}");
        Failure::new(
            Code::InvalidArgs,
            message,
            "see the interface's description: org.varlink.service.GetInterfaceDescription",
        )
    })
}

/// A good answer.
pub(super) fn good(parameters: &impl Serialize, continues: bool) -> Reply {
    match Reply::of(parameters, continues) {
        Ok(reply) => reply,
        Err(error) => bad(&Failure::new(Code::Internal, error.to_string(), "report this"), None),
    }
}

/// A failure.
pub(super) fn bad(failure: &Failure, correlation_id: Option<String>) -> Reply {
    let details = translate::details(failure, correlation_id);
    Reply::error(format!("{}.{}", broker1::INTERFACE, failure.code.name()), &details)
}

/// Sends one reply. A peer that has left needs none.
pub(super) async fn send(replies: &Replies, reply: Reply) {
    let _left = replies.send(reply).await;
}
