//! Whole requests to an API, sent by the client library with the app's own HTTP client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use authbroker_client::http::{self, send, send_with};
use authbroker_client::{AcquireRequest, Client, TokenRequest};
use dev_issuer::{Offer, Options};
use private_api::auth::{Setup, Verifier};
use private_api::routes::{Api, router};
use private_api::verify::Rules;
use tokio::net::TcpListener;

use crate::stand::Stand;

const MESSAGE: &str = "Only authenticated users can read this message.";

/// A stand whose only API is a real one, and that API.
pub(crate) struct World {
    pub(crate) stand: Stand,
    pub(crate) api: String,
    web: reqwest::Client,
}

impl World {
    /// With more lines for the provider, and an API that is set up by `setup`.
    async fn new(extra: &str, set_up: impl FnOnce(&mut Setup)) -> Self {
        Self::with(extra, set_up, |_| {}).await
    }

    /// The same with routes that are set up, too.
    pub(crate) async fn with(
        extra: &str,
        set_up: impl FnOnce(&mut Setup),
        set_routes: impl FnOnce(&mut Api),
    ) -> Self {
        let _already = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let options = Options { dpop: Offer::Offered, ..Options::default() };
        let stand = Stand::with(options).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let rules = Rules::new(stand.issuer.url().parse().unwrap(), api.parse().unwrap());
        let mut setup = Setup::new(rules);
        set_up(&mut setup);
        let mut routes = Api::new(Arc::new(Verifier::set_up(setup).unwrap()));
        set_routes(&mut routes);
        tokio::spawn(private_api::server::serve(listener, router(routes), std::future::pending()));
        let text = std::fs::read_to_string(stand.path("config.toml")).unwrap();
        let text = text.replace("[\"urn:test:api\"]", &format!("[{api:?}]\n{extra}"));
        std::fs::write(stand.path("config.toml"), text).unwrap();
        assert_eq!(stand.ctl(["reload"]).await.code, 0);
        stand.sign_in("alice").await;
        let web = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { stand, api, web }
    }

    pub(crate) async fn get(
        &self,
        app: &Client,
        path: &str,
    ) -> Result<reqwest::Response, http::Error<reqwest::Error>> {
        let request = self.web.get(format!("{}{path}", self.api)).build().unwrap();
        send(app, &self.web, request, &TokenRequest::new()).await
    }
}

#[tokio::test]
async fn an_app_reads_the_private_message_with_a_bearer_token() {
    let world = World::new("", |_| {}).await;
    let app = world.stand.app().await;
    let answer = world.get(&app, "/private").await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().trim()), (200, MESSAGE));
}

#[tokio::test]
async fn an_api_that_wants_proofs_with_its_nonces_is_satisfied() {
    let world = World::new("dpop = \"always\"", |setup| {
        setup.proofs.required = true;
        setup.proofs.nonces = true;
    })
    .await;
    let app = world.stand.app().await;
    for _ in 0..3 {
        let answer = world.get(&app, "/private").await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().trim()), (200, MESSAGE));
    }
}

#[tokio::test]
async fn a_post_is_repeated_with_its_body_and_at_most_once() {
    let world = World::new("", |_| {}).await;
    let app = world.stand.app().await;
    let sent = AtomicUsize::new(0);
    let uri = format!("{}/private", world.api);
    let answer = send_with(&app, "POST", &uri, &TokenRequest::new(), |headers| {
        sent.fetch_add(1, Ordering::Relaxed);
        assert!(headers.contains_key("authorization"));
        let refusal = ::http::Response::builder()
            .status(401)
            .header("www-authenticate", "DPoP error=\"use_dpop_nonce\"")
            .header("www-authenticate", "Bearer error=\"insufficient_scope\", scope=\"openid\"")
            .header("dpop-nonce", "n");
        async move { refusal.body(()) }
    })
    .await;
    // All that was granted is in the token already: a person must grant more.
    let Err(http::Error::InteractionRequired(interaction)) = answer else { panic!("{answer:?}") };
    assert_eq!(sent.load(Ordering::Relaxed), 1);
    let _what_to_ask = AcquireRequest::from(&*interaction);
}

#[tokio::test]
async fn an_api_that_takes_bound_tokens_only_leads_to_a_sign_in_that_binds_them() {
    let world = World::new("", |setup| setup.proofs.required = true).await;
    let app = world.stand.app().await;
    let error = world.get(&app, "/private").await.unwrap_err();
    let http::Error::InteractionRequired(interaction) = error else { panic!("{error:?}") };
    let mut pending = app.acquire(AcquireRequest::from(&*interaction)).await.unwrap();
    world.stand.browse_pending(&mut pending, "alice").await;
    pending.done().await.unwrap();
    assert_eq!(world.get(&app, "/private").await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_to_anywhere_else_is_not_sent() {
    let world = World::new("", |_| {}).await;
    let app = world.stand.app().await;
    let request = world.web.get("http://127.0.0.1:1/private").build().unwrap();
    let error = send(&app, &world.web, request, &TokenRequest::new()).await.unwrap_err();
    assert!(matches!(error, http::Error::Broker(_)), "{error:?}");
}
