//! HTTP with a deadline for the whole of it, a size limit, and no redirects: nothing that a
//! provider answers can send a token elsewhere, hang the broker, or fill its memory.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use authbroker_core::failure::{Code, Failure};
use authbroker_core::issuer::is_loopback;
use authbroker_core::lifecycle::Certainty;
use openidconnect::{HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use url::Url;

use crate::config::ProviderSettings;

/// The most that an answer may be, in bytes. Real ones are a hundredth of it.
const MAX_BODY: usize = 1024 * 1024;
/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long one request may take in all. Two of them and the pause between fit into the 20 seconds
/// that a caller is given.
const TOTAL_LIMIT: Duration = Duration::from_secs(9);

/// A client for one provider.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Result<Client, Failure>,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// There is nothing to send it with.
    #[error("{0}")]
    NoClient(Failure),
    /// The request was never sent.
    #[error("{0} cannot be reached")]
    Connect(String),
    /// Whoever answered there is not who they should be: nothing was sent.
    #[error("{host} cannot be trusted: {why}")]
    Untrusted {
        /// The host that was asked.
        host: String,
        /// What is wrong with its certificate.
        why: String,
    },
    /// The connection broke after the request may have been sent.
    #[error("the connection to {0} broke before its answer was there")]
    Broken(String),
    /// The answer was not there in time.
    #[error("{0} did not answer within {limit} seconds", limit = TOTAL_LIMIT.as_secs())]
    Slow(String),
    /// It answered more than anybody should.
    #[error("{0} answered with more than a megabyte")]
    TooLarge(String),
}

impl HttpError {
    fn from_reqwest(error: &reqwest::Error, host: &str) -> Self {
        let host = host.to_owned();
        if let Some(why) = untrusted(error) {
            Self::Untrusted { host, why }
        } else if error.is_connect() {
            Self::Connect(host)
        } else if error.is_timeout() {
            Self::Slow(host)
        } else {
            Self::Broken(host)
        }
    }

    /// Whether the provider may have acted on the request.
    pub(super) const fn certainty(&self) -> Certainty {
        match self {
            Self::NoClient(_) | Self::Connect(_) | Self::Untrusted { .. } => Certainty::NotActedOn,
            Self::Broken(_) | Self::Slow(_) | Self::TooLarge(_) => Certainty::Unknown,
        }
    }

    /// The same in a caller's words.
    pub(super) fn to_failure(&self) -> Failure {
        let (code, hint) = match self {
            Self::NoClient(failure) => return failure.clone(),
            Self::Connect(_) => (Code::Offline, "check the network, then try again"),
            // A hotel's network answers like this, too, until somebody has paid for it.
            Self::Untrusted { .. } => {
                (Code::Offline, "check the network; for a certificate of your own, set ca_file")
            }
            Self::Broken(_) | Self::Slow(_) => (Code::ProviderUnavailable, "try again in a moment"),
            Self::TooLarge(_) => (Code::ProviderError, "brokerctl config check"),
        };
        Failure::new(code, self.to_string(), hint)
    }
}

/// What the TLS library says about a certificate, somewhere below the error.
fn untrusted(error: &reqwest::Error) -> Option<String> {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.map(ToString::to_string).find(|cause| cause.contains("certificate"))
}

impl Http {
    /// Prepares a client. One that cannot be made (no roots, a bad `ca_file`) says so when it is
    /// used: the other providers should work meanwhile.
    pub(super) fn new(settings: &ProviderSettings) -> Self {
        let client = make(settings.issuer.is_plain_loopback(), settings.ca_file.as_deref());
        Self { client }
    }

    /// The same for an address that is no provider's.
    pub(super) fn to(url: &Url, ca_file: Option<&Path>) -> Self {
        Self { client: make(url.scheme() == "http" && is_loopback(url), ca_file) }
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let host = request.uri().host().unwrap_or("the provider").to_owned();
        let request =
            reqwest::Request::try_from(request).map_err(|_| HttpError::Connect(host.clone()))?;
        let client =
            self.client.as_ref().map_err(|failure| HttpError::NoClient(failure.clone()))?;
        let sent = client.execute(request).await;
        let mut response = sent.map_err(|error| HttpError::from_reqwest(&error, &host))?;
        let mut body = Vec::new();
        let broken = |error| HttpError::from_reqwest(&error, &host);
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(HttpError::TooLarge(host));
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }

    /// Fetches a JSON document.
    pub(super) async fn get(&self, url: &str) -> Result<HttpResponse, HttpError> {
        let request =
            ::http::Request::get(url).header("accept", "application/json").body(Vec::new());
        let request = request.map_err(|_| HttpError::Connect(url.to_owned()))?;
        self.send(request).await
    }
}

/// Makes a client, for what is on this machine and in the clear or for all the rest.
fn make(plain_loopback: bool, ca_file: Option<&Path>) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .timeout(TOTAL_LIMIT)
        // A connection kept from before a suspend or a change of network looks alive and loses what
        // is sent on it. A refresh token cannot be risked for a handshake saved.
        .pool_max_idle_per_host(0)
        .user_agent(concat!("authbroker/", env!("CARGO_PKG_VERSION")));
    if plain_loopback {
        // Nothing here is certified, and a bare machine has no roots to load.
        builder = builder.tls_certs_only([]).no_proxy();
    }
    if let Some(path) = ca_file {
        builder = builder.tls_certs_merge(read_roots(path)?);
    }
    builder.build().map_err(|error| {
        let message = format!("no HTTPS client could be made: {error}");
        Failure::new(Code::Internal, message, "install the package ca-certificates")
    })
}

fn read_roots(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let unusable = |why: String| {
        let message = format!("ca_file {}: {why}", path.display());
        Failure::new(Code::ConfigInvalid, message, "brokerctl config check")
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    Certificate::from_pem_bundle(&pem).map_err(|_| unusable("it holds no certificate".to_owned()))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A client as the configuration of a provider at `issuer` makes it.
    fn client_for(issuer: &str) -> Http {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let text = format!("[provider.dev]\nissuer = {issuer:?}\nclient_id = \"app\"\n");
        std::fs::write(&file, text).unwrap();
        let settings = crate::config::load(Some(&file), true).unwrap();
        Http::new(settings.providers.values().next().unwrap())
    }

    #[tokio::test]
    async fn a_connection_that_another_request_used_is_not_trusted_with_a_token() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            for _ in 0..2 {
                let (mut connection, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    // It stays open for as long as the client likes.
                    while connection.read(&mut request).await.is_ok_and(|length| length > 0) {
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                        connection.write_all(answer).await.unwrap();
                    }
                });
            }
        });
        let http = client_for(&issuer);
        for _ in 0..2 {
            http.get(&format!("{issuer}/token")).await.unwrap();
        }
        let came = tokio::time::timeout(TOTAL_LIMIT, server).await;
        came.expect("each request comes on a connection of its own").unwrap();
    }
}
