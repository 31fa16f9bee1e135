//! The headers of one request to an API, and where a token may go.

use authbroker_core::account::Account;
use authbroker_core::caller::Caller;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::origin::Origin;
use authbroker_core::request::TokenRequest;
use authbroker_core::resource::{Resource, Resources};
use authbroker_core::secret::Secret;
use http::{HeaderName, Method};
use url::Url;

use super::{Broker, Given};

/// A request that an app is about to send to an API.
#[derive(Debug, Clone)]
pub struct HeadersRequest {
    /// Which token it is to go with.
    pub token: TokenRequest,
    /// Its method.
    pub method: Method,
    /// Where it goes.
    pub uri: Url,
}

/// What to send along.
#[derive(Debug, Clone)]
pub struct Headers {
    /// Names and values.
    pub headers: Vec<(HeaderName, Secret)>,
    /// The token in them.
    pub given: Given,
}

impl Broker {
    /// The headers of one request, if it goes where the token may go.
    pub async fn headers(
        &self,
        caller: &Caller,
        mut request: HeadersRequest,
    ) -> Result<Headers, Failure> {
        let answer = self.find_headers(caller, &mut request).await;
        self.record_token(caller, &request.token, answer.as_ref().map(|headers| &headers.given));
        answer
    }

    async fn find_headers(
        &self,
        caller: &Caller,
        request: &mut HeadersRequest,
    ) -> Result<Headers, Failure> {
        self.admit(caller)?;
        self.narrow(caller, &mut request.token)?;
        let account = self.resolve(caller, &request.token.account)?;
        request.token.resources =
            self.resources_at(&account, &request.uri, &request.token.resources)?;
        let given = self.token_for(caller, account, &request.token).await?;
        let method = request.method.as_str();
        let headers = self.0.nonces.present(&given.access, method, &request.uri)?;
        Ok(Headers { headers, given })
    }

    /// The APIs that a request to `uri` is for: those that were named, if `uri` belongs to one of
    /// them, else the configured one that lives nearest to it. A token for one API is of no use to
    /// another, and of much use to a thief.
    pub(super) fn resources_at(
        &self,
        account: &Account,
        uri: &Url,
        named: &Resources,
    ) -> Result<Resources, Failure> {
        let origin = Origin::of(uri).ok_or_else(|| insecure(uri))?;
        if !named.is_empty() {
            let fits = named.iter().any(|resource| self.lives_at(resource, &origin));
            return fits.then(|| named.clone()).ok_or_else(|| elsewhere(&origin));
        }
        let provider = self.0.providers.get(&account.provider)?;
        let settings = provider.settings();
        // The last of equals is taken, and the first one configured is the default.
        let configured = settings.resources.iter().rev();
        let here = configured.filter(|resource| self.lives_at(resource, &origin));
        if let Some(nearest) = here.max_by_key(|resource| closeness(resource, uri)) {
            return Ok(Resources::from([nearest.clone()]));
        }
        // Without any API of its own, a provider's tokens are for the provider itself.
        let of_provider = Origin::parse(settings.issuer.as_str()).is_ok_and(|own| own == origin);
        if settings.resources.is_empty() && of_provider {
            return Ok(Resources::new());
        }
        Err(elsewhere(&origin))
    }

    /// Whether tokens for an API may go to an origin: one of those that the configuration names for
    /// it, else the API's own.
    fn lives_at(&self, resource: &Resource, origin: &Origin) -> bool {
        match self.settings().origins.get(resource) {
            Some(origins) => origins.contains(origin),
            None => Origin::of_resource(resource).is_some_and(|own| own == *origin),
        }
    }
}

/// How much of an API's path the address shares: of two APIs at one origin, the longer one is
/// meant.
fn closeness(resource: &Resource, uri: &Url) -> usize {
    let path = Url::parse(resource.as_str()).map(|url| url.path().to_owned()).unwrap_or_default();
    let path = path.trim_end_matches('/');
    let rest = uri.path().strip_prefix(path);
    let within = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if within { path.len() } else { 0 }
}

fn insecure(uri: &Url) -> Failure {
    let message = format!("{} is not an https address", uri.scheme());
    Failure::new(Code::InvalidArgs, message, "use https; http is for this machine only")
}

fn elsewhere(origin: &Origin) -> Failure {
    let message = format!("no token may go to {origin}: it is not where the API lives");
    Failure::new(
        Code::InvalidTarget,
        message,
        "add the API to the provider's resources, or its origin to [resource.\"…\"] origins",
    )
}
