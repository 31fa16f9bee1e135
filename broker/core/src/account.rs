//! What the broker keeps of a sign-in.

use crate::authentication::Authentication;
use crate::ids::{AccountId, ProviderName};
use crate::issuer::IssuerUrl;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixTime;

/// Who signed in, and where. Nothing in it is secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The id that callers use.
    pub id: AccountId,
    /// The provider's name in the configuration.
    pub provider: ProviderName,
    /// The issuer that vouches for the subject.
    pub issuer: IssuerUrl,
    /// The client that the sign-in was for.
    pub client_id: String,
    /// Who it is, in the issuer's own words.
    pub subject: String,
    /// What people call them.
    pub person: Person,
    /// When the person last proved who they are.
    pub auth_time: UnixTime,
}

/// What the ID token tells about a person. Providers may leave any of it out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Person {
    /// The name to sign in with.
    pub username: Option<String>,
    /// The name to be greeted with.
    pub name: Option<String>,
    /// The e-mail address: for show, never for identity.
    pub email: Option<String>,
    /// The address of a picture.
    pub picture: Option<String>,
}

impl Account {
    /// What to call the account in a list: the best name the provider gave.
    pub fn username(&self) -> &str {
        let person = &self.person;
        let known =
            person.username.as_deref().or(person.email.as_deref()).or(person.name.as_deref());
        known.unwrap_or(&self.subject)
    }

    /// What to call the person in a greeting.
    pub fn label(&self) -> &str {
        self.person.name.as_deref().unwrap_or_else(|| self.username())
    }
}

/// What the provider granted: the refresh token and all that goes with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grant {
    /// The one refresh token. Without it the sign-in lasts as long as its access token.
    pub refresh_token: Option<Secret>,
    /// What was granted in all.
    pub scopes: ScopeSet,
    /// The last ID token: the hint that a sign-out at the provider asks for.
    pub id_token: Option<Secret>,
    /// How and when the person proved who they are.
    pub authentication: Authentication,
    /// The private key that its tokens are bound to (RFC 9449 §5). Bearer tokens have none.
    pub dpop_key: Option<Secret>,
}

/// What the vault remembers of an account's session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Memory {
    /// It is signed in.
    Granted(Grant),
    /// It is signed in, and a use of its refresh token was begun whose end nobody saw: the process
    /// that began it is gone.
    Interrupted(Grant),
    /// It was signed in, until the provider ended that.
    Ended,
}
