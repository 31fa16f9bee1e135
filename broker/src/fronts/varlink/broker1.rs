//! `org.authbroker.Broker1` on a socket: read the words, one call, write the answer.

use authbroker_client::wire::broker1 as wire;
use authbroker_client::wire::frame::Reply;
use authbroker_core::caller::Door;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::ids::AccountId;

use super::router::{Parameters, Replies, Router, bad, good, read, send};
use crate::broker::Pending;
use crate::fronts::translate;
use crate::sign_ins::{Opener, Phase};

impl Router {
    pub(super) fn who_am_i(&self) -> Reply {
        good(&translate::identity(&self.caller), false)
    }

    pub(super) async fn get_token(&self, parameters: Parameters<'_>) -> Reply {
        let wire: wire::GetToken = match read(parameters) {
            Ok(wire) => wire,
            Err(failure) => return bad(&failure, None),
        };
        let given = match translate::token_request(&wire) {
            Ok(request) => self.services.broker.token(&self.caller, request).await,
            Err(failure) => Err(failure),
        };
        match given {
            Ok(given) => good(&translate::token(&given, wire.correlation_id), false),
            Err(failure) => bad(&failure, wire.correlation_id),
        }
    }

    pub(super) async fn get_headers(&self, parameters: Parameters<'_>) -> Reply {
        let wire: wire::GetHeaders = match read(parameters) {
            Ok(wire) => wire,
            Err(failure) => return bad(&failure, None),
        };
        let headers = match translate::headers_request(&wire) {
            Ok(request) => self.services.broker.headers(&self.caller, request).await,
            Err(failure) => Err(failure),
        };
        match headers {
            Ok(headers) => good(&translate::headers(&headers, wire.correlation_id), false),
            Err(failure) => bad(&failure, wire.correlation_id),
        }
    }

    pub(super) async fn report_challenge(&self, parameters: Parameters<'_>) -> Reply {
        let wire: wire::ReportChallenge = match read(parameters) {
            Ok(wire) => wire,
            Err(failure) => return bad(&failure, None),
        };
        let correlation_id = wire.correlation_id.clone();
        let reaction = match translate::challenge_report(wire) {
            Ok(report) => self.services.broker.report_challenge(&self.caller, report).await,
            Err(failure) => Err(failure),
        };
        match reaction {
            Ok(reaction) => good(&translate::reaction(reaction, correlation_id), false),
            Err(failure) => bad(&failure, correlation_id),
        }
    }

    pub(super) fn list_accounts(&self) -> Reply {
        good(&wire::Accounts { accounts: self.visible_accounts() }, false)
    }

    fn visible_accounts(&self) -> Vec<wire::Account> {
        self.services.broker.visible_to(&self.caller).iter().map(translate::account).collect()
    }

    pub(super) async fn acquire(&self, parameters: Parameters<'_>, more: bool, replies: Replies) {
        let wire = match read::<wire::Acquire>(parameters) {
            Ok(wire) => wire,
            Err(failure) => return send(&replies, bad(&failure, None)).await,
        };
        let correlation_id = wire.correlation_id.clone();
        let pending = translate::acquire_request(wire)
            .and_then(|request| self.services.broker.acquire(&self.caller, &request));
        follow(pending, correlation_id, more, replies).await;
    }

    pub(super) async fn sign_out(&self, parameters: Parameters<'_>, more: bool, replies: Replies) {
        let opener = if self.caller.door == Door::Admin { Opener::Caller } else { Opener::Broker };
        let request = match read::<wire::SignOut>(parameters) {
            Ok(wire) => translate::sign_out_request(wire),
            Err(failure) => return send(&replies, bad(&failure, None)).await,
        };
        let correlation_id = request.correlation_id.clone();
        let pending = self.services.broker.sign_out(&self.caller, request, opener);
        follow(pending, correlation_id, more, replies).await;
    }

    /// Every account, then each change, for as long as the peer stays.
    pub(super) async fn watch(&self, more: bool, replies: Replies) {
        if !more {
            let failure =
                Failure::new(Code::InvalidArgs, "Watch answers many times", "call it with more");
            return send(&replies, bad(&failure, None)).await;
        }
        let mut changes = self.services.broker.changes();
        let mut told: Option<Vec<wire::Account>> = None;
        loop {
            changes.mark_unchanged();
            let now = self.visible_accounts();
            if let Some(change) = wire::Change::between(told.as_deref(), &now)
                && replies.send(good(&change, true)).await.is_err()
            {
                return;
            }
            told = Some(now);
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Tells how a request goes on: each phase to a peer that takes more, the end to any.
pub(super) async fn follow(
    pending: Result<Pending, Failure>,
    correlation_id: Option<String>,
    more: bool,
    replies: Replies,
) {
    let mut pending = match pending {
        Ok(pending) => pending,
        Err(failure) => return send(&replies, bad(&failure, correlation_id)).await,
    };
    while let Some(phase) = pending.next().await {
        let reply = match &phase {
            Phase::Done(id) => good(&done(id, correlation_id.clone()), false),
            Phase::Failed(failure) => bad(failure, correlation_id.clone()),
            _ if !more => continue,
            phase => good(&translate::progress(phase).unwrap_or_default(), true),
        };
        send(&replies, reply).await;
    }
}

fn done(id: &AccountId, correlation_id: Option<String>) -> wire::Progress {
    wire::Progress { account: Some(id.to_string()), correlation_id, ..wire::Progress::default() }
}
