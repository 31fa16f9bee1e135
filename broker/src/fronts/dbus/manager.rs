//! `org.authbroker.Broker1.Manager`: who asks, what for, one call, the answer.

use std::collections::HashMap;

use authbroker_client::wire::broker1::{Acquire, ReportChallenge};
use authbroker_core::failure::Failure;
use zbus::message::Header;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant, interface};

use super::error::{Refused, Telling};
use super::options::{self, Handling, Options};
use super::{Desk, request, sink};
use crate::fronts::translate;

/// A dictionary on its way out.
pub(super) type Dict = HashMap<&'static str, Variant<'static>>;

pub(super) struct Manager {
    desk: Desk,
}

impl Manager {
    pub(super) fn new(desk: Desk) -> Self {
        Self { desk }
    }
}

#[interface(name = "org.authbroker.Broker1.Manager")]
impl Manager {
    /// How the broker sees the caller: level u, level_name s, app s, source s, uid u; and what that
    /// proves and does not: proves s. The rest is only seen: pid u, executable s, user_unit s,
    /// terminal u (the process that leads its session), proxy s.
    async fn who_am_i(&self, #[zbus(header)] header: Header<'_>) -> Result<Dict, Refused> {
        let caller = self.desk.callers.of(&header).await?;
        let identity = translate::identity(&caller);
        let mut dict = Dict::from([
            ("level", Variant::from(u32::from(identity.level))),
            ("level_name", Variant::from(identity.level_name)),
            ("app", Variant::from(identity.app)),
            ("source", Variant::from(identity.source)),
            ("uid", Variant::from(identity.uid)),
            ("proves", Variant::from(identity.proves)),
        ]);
        put(&mut dict, "pid", identity.pid);
        put(&mut dict, "executable", identity.executable);
        put(&mut dict, "user_unit", identity.user_unit);
        put(&mut dict, "terminal", identity.terminal);
        put(&mut dict, "proxy", identity.proxy);
        Ok(dict)
    }

    /// An access token, without asking anybody. Options: resource as, scopes as, min_ttl u,
    /// force b, max_age u, acr_values as, token_type s, timeout u, correlation_id s, sink h.
    /// A sink is one end of a Unix stream socket pair that the caller made: the answer goes there,
    /// as a JSON object ended by a NUL byte, and no token stands in the reply, which other programs
    /// of the user can read. With error_details b, taken by every method that has options, an
    /// error's text is followed by a dictionary (hint s, retry_after t, oauth_error s,
    /// acr_values as, max_age t, correlation_id s).
    async fn get_token(
        &self,
        account: String,
        options: Options,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<Dict, Refused> {
        let telling = Telling::of(&options);
        let token = self.token(account, options, &header).await;
        token.map_err(|failure| telling.refused(failure))
    }

    /// The headers of one request to an API: Authorization, and DPoP with a proof where the token
    /// is bound to a key. Options: as of GetToken; with a sink the headers go there.
    async fn get_headers(
        &self,
        account: String,
        method: String,
        uri: String,
        options: Options,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<(HashMap<String, String>, Dict), Refused> {
        let telling = Telling::of(&options);
        let headers = self.headers((account, method, uri), options, &header).await;
        headers.map_err(|failure| telling.refused(failure))
    }

    /// What an API answered to a token, and what to do about it: retry (once, with new headers),
    /// interaction-required (Acquire with what stands beside) or not-mine. Options: resource as,
    /// scopes as, token_type s, dpop_nonce s, ath s, correlation_id s.
    async fn report_challenge(
        &self,
        account: String,
        uri: String,
        status: u32,
        www_authenticate: Vec<String>,
        options: Options,
        #[zbus(header)] header: Header<'_>,
    ) -> Result<(String, Dict), Refused> {
        let telling = Telling::of(&options);
        let report = options::report_challenge(account, uri, status, www_authenticate, options);
        let reaction = self.reaction(report, &header).await;
        reaction.map_err(|failure| telling.refused(failure))
    }

    /// A sign-in: silent if there is one already, else in the browser. Never blocks: the request
    /// object tells how it goes. Options: resource as, scopes as, prompt s, acr_values as,
    /// max_age u, token_type s, login_hint s, open b, timeout u, handle_token s, detach b,
    /// correlation_id s.
    async fn acquire(
        &self,
        account_or_provider: String,
        parent_window: String,
        options: Options,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<OwnedObjectPath, Refused> {
        // No dialogue of ours has a parent yet: the browser is a window of its own.
        drop(parent_window);
        let telling = Telling::of(&options);
        let request = options::acquire(account_or_provider, options);
        let opened = self.open_request(request, &header, connection).await;
        opened.map_err(|failure| telling.refused(failure))
    }

    /// The version of this interface.
    #[zbus(property(emits_changed_signal = "const"))]
    #[expect(clippy::unused_self, reason = "a property belongs to its object")]
    fn version(&self) -> u32 {
        1
    }

    /// Whom this broker serves: the user of the session.
    #[zbus(property(emits_changed_signal = "const"))]
    #[expect(clippy::unused_self, reason = "a property belongs to its object")]
    fn mode(&self) -> &'static str {
        "user"
    }

    /// What this broker can do beyond the first version.
    #[zbus(property(emits_changed_signal = "const"))]
    #[expect(clippy::unused_self, reason = "a property belongs to its object")]
    fn capabilities(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Manager {
    async fn token(
        &self,
        account: String,
        options: Options,
        header: &Header<'_>,
    ) -> Result<Dict, Failure> {
        let _answering = self.desk.answering.token();
        let (caller, _turn) = self.desk.callers.enter(header).await?;
        let (request, sink) = options::get_token(account, options)?;
        let sink = sink::open(sink, &caller)?;
        let given = self.desk.broker.token(&caller, translate::token_request(&request)?).await?;
        let token = translate::token(&given, request.correlation_id);
        let in_reply = sink::pour(sink, &token)?.then(|| token.access_token.expose().to_owned());
        let mut dict = Dict::from([
            ("token_type", Variant::from(token.token_type)),
            ("expires_at", Variant::from(token.expires_at)),
            ("scopes", Variant::from(token.scopes)),
            ("resource", Variant::from(token.resource)),
            ("account", Variant::from(token.account)),
            ("subject", Variant::from(token.subject)),
        ]);
        put(&mut dict, "access_token", in_reply);
        put(&mut dict, "acr", token.acr);
        put(&mut dict, "correlation_id", token.correlation_id);
        Ok(dict)
    }

    async fn headers(
        &self,
        (account, method, uri): (String, String, String),
        options: Options,
        header: &Header<'_>,
    ) -> Result<(HashMap<String, String>, Dict), Failure> {
        let _answering = self.desk.answering.token();
        let (caller, _turn) = self.desk.callers.enter(header).await?;
        let (request, sink) = options::get_headers(account, method, uri, options)?;
        let sink = sink::open(sink, &caller)?;
        let headers = translate::headers_request(&request)?;
        let headers = self.desk.broker.headers(&caller, headers).await?;
        let told = translate::headers(&headers, request.correlation_id);
        let mut in_reply = HashMap::new();
        if sink::pour(sink, &told)? {
            let headers = told.headers.into_iter();
            in_reply.extend(headers.map(|(name, value)| (name, value.expose().to_owned())));
        }
        let mut dict = Dict::from([
            ("token_type", Variant::from(told.token_type)),
            ("expires_at", Variant::from(told.expires_at)),
            ("scopes", Variant::from(told.scopes)),
            ("resource", Variant::from(told.resource)),
            ("account", Variant::from(told.account)),
            ("subject", Variant::from(told.subject)),
        ]);
        put(&mut dict, "acr", told.acr);
        put(&mut dict, "correlation_id", told.correlation_id);
        Ok((in_reply, dict))
    }

    async fn reaction(
        &self,
        report: Result<ReportChallenge, Failure>,
        header: &Header<'_>,
    ) -> Result<(String, Dict), Failure> {
        let _answering = self.desk.answering.token();
        let (caller, _turn) = self.desk.callers.enter(header).await?;
        let report = report?;
        let correlation_id = report.correlation_id.clone();
        let report = translate::challenge_report(report)?;
        let reaction = self.desk.broker.report_challenge(&caller, report).await?;
        let told = translate::reaction(reaction, correlation_id);
        let mut dict = Dict::new();
        put(&mut dict, "scopes", Some(told.scopes).filter(|words| !words.is_empty()));
        put(&mut dict, "acr_values", Some(told.acr_values).filter(|words| !words.is_empty()));
        put(&mut dict, "max_age", told.max_age);
        put(&mut dict, "token_type", told.token_type);
        put(&mut dict, "message", told.message);
        put(&mut dict, "correlation_id", told.correlation_id);
        Ok((told.action, dict))
    }

    async fn open_request(
        &self,
        request: Result<(Acquire, Handling), Failure>,
        header: &Header<'_>,
        connection: &Connection,
    ) -> Result<OwnedObjectPath, Failure> {
        let (caller, turn) = self.desk.callers.enter(header).await?;
        let (request, handling) = request?;
        let pending = self.desk.broker.acquire(&caller, &translate::acquire_request(request)?)?;
        request::open(connection, header, handling, (pending, turn)).await
    }
}

fn put<T: Into<Variant<'static>>>(dict: &mut Dict, name: &'static str, value: Option<T>) {
    if let Some(value) = value {
        dict.insert(name, value.into());
    }
}

/// What an owned value looks like on its way out.
pub(super) fn owned(value: Variant<'static>) -> Option<OwnedVariant> {
    value.try_into().ok()
}
