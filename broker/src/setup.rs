//! What a person does before there is an account: look at a provider, and register a client there.
//!
//! It needs no daemon: `brokerctl` does it in its own process, with the daemon's own way of speaking
//! to a provider, so that what it finds is what the daemon will meet.

use std::path::{Path, PathBuf};
use std::time::Duration;

use authbroker_core::failure::Code;
pub use authbroker_core::failure::Failure;
use authbroker_core::secret::Secret;
use authbroker_core::time::UnixTime;

use crate::config::{NewClientAuth, ProviderSettings};
use crate::platform::clock;
pub use crate::services::oidc::{Finding, Grade, Offered, Survey};
use crate::services::oidc::{Oidc, Proof, Registered, Registration};
use crate::services::registrations::{Kept, Registrations};

/// How long before its end a registration is worth a word.
const SOON: Duration = Duration::from_hours(14 * 24);

/// A client that a provider has registered for us.
#[derive(Debug, Clone)]
pub struct Client {
    /// Who we are to it.
    pub client_id: String,
    /// How it proves itself; `None` for a public client.
    pub client_auth: Option<NewClientAuth>,
    /// Where the rest of the registration is kept.
    pub kept: PathBuf,
}

/// Looks at a provider now. What is kept of its registration in `state_dir` is looked at, too.
pub async fn survey(
    settings: &ProviderSettings,
    state_dir: Option<&Path>,
) -> Result<Survey, Failure> {
    let mut survey = Oidc::new(settings.clone()).survey().await?;
    let ends = state_dir.and_then(|state_dir| ends(settings, state_dir));
    survey.findings.extend(ends.map(|ends| registration(settings, ends)));
    Ok(survey)
}

/// Registers a client for a provider (RFC 7591), and keeps what nobody should see in `state_dir`.
/// Where the provider wants leave for that, `initial_access_token` is it.
pub async fn register(
    settings: &ProviderSettings,
    client_name: &str,
    initial_access_token: Option<String>,
    state_dir: &Path,
) -> Result<Client, Failure> {
    let registration = Registration {
        client_name: client_name.to_owned(),
        initial_access_token: initial_access_token.map(Secret::new),
    };
    let registered = Oidc::new(settings.clone()).register(&registration).await?;
    keep(settings, &registered, state_dir).map_err(|error| {
        let message = format!(
            "the provider registered the client {}, and {} cannot keep the rest: {error}",
            registered.client_id,
            state_dir.display()
        );
        Failure::new(Code::Internal, message, "check the folder and the disk, and register again")
    })
}

/// When the secret of a registered client runs out, in seconds since the epoch, if the client is
/// still the configured one.
pub fn registration_ends(settings: &ProviderSettings, state_dir: &Path) -> Option<u64> {
    ends(settings, state_dir).map(UnixTime::as_secs)
}

fn ends(settings: &ProviderSettings, state_dir: &Path) -> Option<UnixTime> {
    let kept = Registrations::within(state_dir).of(&settings.name)?;
    let ours = kept.issuer == settings.issuer.as_str() && kept.client_id == settings.client_id;
    kept.expires.filter(|_| ours)
}

fn keep(
    settings: &ProviderSettings,
    registered: &Registered,
    state_dir: &Path,
) -> std::io::Result<Client> {
    let registrations = Registrations::within(state_dir);
    let kept = Kept {
        issuer: settings.issuer.to_string(),
        client_id: registered.client_id.clone(),
        expires: registered.expires,
        access: registered.access.clone().map(|(token, place)| (token, place.to_string())),
    };
    let kept = registrations.keep(&settings.name, &kept)?;
    let secret = |method: &'static str, secret: &Secret| {
        let file = registrations.keep_secret(&settings.name, secret)?;
        std::io::Result::Ok(Some(NewClientAuth { method, member: "file", file }))
    };
    let client_auth = match &registered.proof {
        Proof::None => None,
        Proof::Basic(text) => secret("client_secret_basic", text)?,
        Proof::Post(text) => secret("client_secret_post", text)?,
    };
    Ok(Client { client_id: registered.client_id.clone(), client_auth, kept })
}

/// What there is to say of a registration that ends.
fn registration(settings: &ProviderSettings, ends: UnixTime) -> Finding {
    let now = clock::now().wall;
    let again = format!(
        "remove [provider.{}] from the configuration, then: brokerctl provider register {}",
        settings.name, settings.issuer
    );
    let (grade, tense, cure) = if ends <= now {
        (Grade::Problem, "ran out", again)
    } else if ends <= now.plus(SOON) {
        (Grade::Note, "runs out", again)
    } else {
        (Grade::Good, "runs out", String::new())
    };
    let text = format!("the client's secret {tense} on {}", date(ends));
    Finding { grade, about: "registration", text, cure }
}

/// A day, as people here count them.
fn date(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok();
    let time = time.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let day = time.map(|time| time.to_zoned(jiff::tz::TimeZone::system()));
    day.map_or_else(|| "a day far off".to_owned(), |day| day.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Flow, NewProvider};

    fn settings() -> ProviderSettings {
        let provider = NewProvider {
            name: "acme".to_owned(),
            issuer: "https://a.example".to_owned(),
            client_id: "c1".to_owned(),
            scopes: Vec::new(),
            resources: Vec::new(),
            flow: Flow::Browser,
            ports: Vec::new(),
            post_logout_path: None,
            client_auth: None,
            ca_file: None,
            remark: String::new(),
        };
        provider.settings().unwrap()
    }

    fn registered(expires: Option<UnixTime>, proof: Proof) -> Registered {
        Registered { client_id: "c1".to_owned(), proof, expires, access: None }
    }

    #[test]
    fn a_secret_that_a_provider_insists_on_is_kept_where_the_configuration_finds_it() {
        let state = tempfile::tempdir().unwrap();
        let proof = Proof::Post(Secret::new("s".to_owned()));
        let client = keep(&settings(), &registered(None, proof), state.path()).unwrap();
        let auth = client.client_auth.unwrap();
        assert_eq!((auth.method, auth.member), ("client_secret_post", "file"));
        assert_eq!(std::fs::read_to_string(auth.file).unwrap(), "s");
    }

    #[test]
    fn a_registration_that_ends_is_told_of_while_it_is_the_configured_one() {
        let state = tempfile::tempdir().unwrap();
        let (settings, now) = (settings(), clock::now().wall);
        let days = |days: u64| Duration::from_hours(24 * days);
        for (ends, grade) in [
            (now.minus(days(1)), Grade::Problem),
            (now.plus(days(1)), Grade::Note),
            (now.plus(days(90)), Grade::Good),
        ] {
            keep(&settings, &registered(Some(ends), Proof::None), state.path()).unwrap();
            assert_eq!(registration_ends(&settings, state.path()), Some(ends.as_secs()));
            assert_eq!(registration(&settings, ends).grade, grade);
        }
        let other = ProviderSettings { client_id: "c2".to_owned(), ..settings };
        assert_eq!(registration_ends(&other, state.path()), None);
    }
}
