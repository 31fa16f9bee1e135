//! Which method a call means: an index, nothing more.

use std::sync::Arc;

use authbroker_client::wire::frame::{Call, Reply};
use authbroker_client::wire::{admin1, broker1};
use authbroker_core::caller::{Caller, Door};
use authbroker_core::failure::{Code, Failure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
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

impl Router {
    /// Answers one call on `replies`.
    pub(super) async fn call(&self, call: Call, replies: Replies) {
        let (interface, method) = call.method.rsplit_once('.').unwrap_or(("", ""));
        let parameters = call.parameters;
        match (interface, method) {
            (service::INTERFACE, method) => {
                send(&replies, service::answer(method, &parameters, self.caller.door)).await;
            }
            (broker1::INTERFACE, "WhoAmI") => send(&replies, self.who_am_i()).await,
            (broker1::INTERFACE, "GetToken") => {
                send(&replies, self.get_token(parameters).await).await;
            }
            (broker1::INTERFACE, "GetHeaders") => {
                send(&replies, self.get_headers(parameters).await).await;
            }
            (broker1::INTERFACE, "ReportChallenge") => {
                send(&replies, self.report_challenge(parameters).await).await;
            }
            (broker1::INTERFACE, "ListAccounts") => send(&replies, self.list_accounts()).await,
            (broker1::INTERFACE, "Acquire") => self.acquire(parameters, call.more, replies).await,
            (broker1::INTERFACE, "SignOut") => self.sign_out(parameters, call.more, replies).await,
            (broker1::INTERFACE, "Watch") => self.watch(call.more, replies).await,
            (admin1::INTERFACE, method) if self.caller.door == Door::Admin => match method {
                "SignIn" => self.sign_in(parameters, call.more, replies).await,
                "Status" => send(&replies, self.status()).await,
                "Reload" => send(&replies, self.reload()).await,
                "VaultStatus" => send(&replies, self.vault_status().await).await,
                "Unlock" => send(&replies, self.unlock(parameters).await).await,
                "Lock" => send(&replies, self.lock().await).await,
                "Audit" => self.audit(parameters, call.more, replies).await,
                "VerifyAudit" => send(&replies, self.verify_audit().await).await,
                "Why" => send(&replies, self.why(parameters).await).await,
                "ListApps" => send(&replies, self.list_apps().await).await,
                "ListGrants" => send(&replies, self.list_grants().await).await,
                "Grant" => send(&replies, self.grant(parameters).await).await,
                "Revoke" => send(&replies, self.revoke(parameters).await).await,
                "MintSocket" => send(&replies, self.mint_socket(parameters).await).await,
                "ListSockets" => send(&replies, self.list_sockets()).await,
                "CloseSocket" => send(&replies, self.close_socket(parameters).await).await,
                "ServeQuestions" => self.serve_questions(call.more, replies).await,
                "AnswerQuestion" => send(&replies, self.answer_question(parameters)).await,
                "Rekey" => send(&replies, self.rekey(parameters).await).await,
                _ => send(&replies, service::no_method(&call.method)).await,
            },
            (broker1::INTERFACE, _) => send(&replies, service::no_method(&call.method)).await,
            (interface, _) => send(&replies, service::no_interface(interface)).await,
        }
    }
}

/// Reads a method's parameters. What is null counts as left out.
pub(super) fn read<T: DeserializeOwned + Default>(mut parameters: Value) -> Result<T, Failure> {
    if parameters.is_null() {
        return Ok(T::default());
    }
    if let Value::Object(members) = &mut parameters {
        members.retain(|_, value| !value.is_null());
    }
    serde_json::from_value(parameters).map_err(|error| {
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
