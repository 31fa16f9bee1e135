//! `org.authbroker.Broker1.Account`: one object per account, for those who may see it.

use std::collections::HashMap;

use authbroker_client::wire::broker1::{Account as WireAccount, ROOT_PATH};
use authbroker_core::failure::Failure;
use zbus::message::Header;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant, interface};

use super::Desk;
use super::error::{Refused, Telling};
use super::manager::owned;
use super::options::{self, Options};
use super::request;
use crate::fronts::translate;
use crate::sign_ins::Opener;

/// The interface's name.
pub(super) const INTERFACE: &str = "org.authbroker.Broker1.Account";

/// Properties on their way out.
pub(super) type Properties = HashMap<String, OwnedVariant>;

pub(super) struct Account {
    desk: Desk,
    id: String,
}

/// The path of an account's object. Whatever a path may not hold is written as `_` and two digits,
/// as systemd does.
pub(super) fn path_of(id: &str) -> String {
    let escaped = id.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("_{byte:02x}"),
    });
    format!("{ROOT_PATH}/accounts/{}", escaped.collect::<String>())
}

/// Every property of an account. None of them is a secret.
pub(super) fn properties(account: &WireAccount) -> Properties {
    let text = |value: &String| Variant::from(value.clone());
    let all = [
        ("Id", text(&account.id)),
        ("Provider", text(&account.provider)),
        ("Issuer", text(&account.issuer)),
        ("Username", text(&account.username)),
        ("Label", text(&account.label)),
        ("Subject", text(&account.subject)),
        ("Picture", text(&account.picture)),
        ("State", text(&account.state)),
        ("StateReason", text(&account.state_reason)),
        ("StateSince", Variant::from(account.state_since)),
        ("AuthTime", Variant::from(account.auth_time)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), owned(value)?))).collect()
}

impl Account {
    pub(super) fn new(desk: Desk, id: String) -> Self {
        Self { desk, id }
    }

    /// The account as this caller sees it. To one who may not, it is not there.
    async fn seen(&self, header: Option<Header<'_>>) -> zbus::fdo::Result<WireAccount> {
        let unknown =
            || zbus::fdo::Error::UnknownObject(format!("there is no account {}", self.id));
        let header = header.ok_or_else(unknown)?;
        let caller = self.desk.callers.of(&header).await.map_err(|_| unknown())?;
        let accounts = self.desk.broker.visible_to(&caller);
        let account = accounts.iter().find(|view| view.account.id.as_str() == self.id);
        account.map(translate::account).ok_or_else(unknown)
    }
}

impl Account {
    async fn open_request(
        &self,
        options: Options,
        header: &Header<'_>,
        connection: &Connection,
    ) -> Result<OwnedObjectPath, Failure> {
        let (caller, turn) = self.desk.callers.enter(header).await?;
        let (request, handling) = options::sign_out(self.id.clone(), options)?;
        let request = translate::sign_out_request(request);
        let pending = self.desk.broker.sign_out(&caller, request, Opener::Broker)?;
        request::open(connection, header, handling, (pending, turn)).await
    }
}

#[interface(name = "org.authbroker.Broker1.Account")]
impl Account {
    /// Revokes the tokens at the provider, ends the session there, and forgets the account.
    /// Options: local b, handle_token s, detach b, correlation_id s.
    async fn sign_out(
        &self,
        options: Options,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<OwnedObjectPath, Refused> {
        let telling = Telling::of(&options);
        let opened = self.open_request(options, &header, connection).await;
        opened.map_err(|failure| telling.refused(failure))
    }

    /// Stable id.
    #[zbus(property)]
    async fn id(&self, #[zbus(header)] header: Option<Header<'_>>) -> zbus::fdo::Result<String> {
        Ok(self.seen(header).await?.id)
    }

    /// The provider's name in the configuration.
    #[zbus(property)]
    async fn provider(
        &self,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> zbus::fdo::Result<String> {
        Ok(self.seen(header).await?.provider)
    }

    /// The issuer identifier.
    #[zbus(property)]
    async fn issuer(
        &self,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> zbus::fdo::Result<String> {
        Ok(self.seen(header).await?.issuer)
    }

    /// What to call it in a list.
    #[zbus(property)]
    async fn username(
        &self,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> zbus::fdo::Result<String> {
        Ok(self.seen(header).await?.username)
    }

    /// What to call the person in a greeting.
    #[zbus(property)]
    async fn label(&self, #[zbus(header)] header: Option<Header<'_>>) -> zbus::fdo::Result<String> {
        Ok(self.seen(header).await?.label)
    }

    /// Who it is, in the issuer's words.
    #[zbus(property)]
    async fn subject(
        &self,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> zbus::fdo::Result<String> {
        Ok(self.seen(header).await?.subject)
    }

    /// The address of a picture, or empty.
    #[zbus(property)]
    async fn picture(
        &self,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> zbus::fdo::Result<String> {
        Ok(self.seen(header).await?.picture)
    }

    /// ready, interaction-required, offline, vault-locked, revoked or disabled.
    #[zbus(property)]
    async fn state(&self, #[zbus(header)] header: Option<Header<'_>>) -> zbus::fdo::Result<String> {
        Ok(self.seen(header).await?.state)
    }

    /// Why, in words, or empty.
    #[zbus(property)]
    async fn state_reason(
        &self,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> zbus::fdo::Result<String> {
        Ok(self.seen(header).await?.state_reason)
    }

    /// Since when, in seconds since the epoch.
    #[zbus(property)]
    async fn state_since(
        &self,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> zbus::fdo::Result<u64> {
        Ok(self.seen(header).await?.state_since)
    }

    /// When the person last proved who they are, in seconds since the epoch.
    #[zbus(property)]
    async fn auth_time(
        &self,
        #[zbus(header)] header: Option<Header<'_>>,
    ) -> zbus::fdo::Result<u64> {
        Ok(self.seen(header).await?.auth_time)
    }
}
