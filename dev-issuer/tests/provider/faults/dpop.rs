//! Faults that a client with a key meets.

use dev_issuer::{Fault, Nonces, Offer, Options, Times};

use crate::keys::ClientKey;
use crate::stand::{Answer, Query, Stand, code_form, refresh_form};

/// A client with its key at a provider that takes proofs.
struct App {
    stand: Stand,
    key: ClientKey,
}

impl App {
    async fn new() -> Self {
        Self::with(Nonces::NotAsked).await
    }

    async fn with(dpop_nonces: Nonces) -> Self {
        let options = Options { dpop: Offer::Offered, dpop_nonces, ..Options::default() };
        Self { stand: Stand::with(options).await, key: ClientKey::p256() }
    }

    /// Asks the token endpoint, with this nonce in the proof.
    async fn ask(&self, form: &[(&str, &str)], nonce: Option<&str>) -> Answer {
        let url = self.stand.at("/token");
        let proof = self.key.proof("POST", &url).claim("nonce", nonce).sign();
        Answer::of(self.stand.http.post(url).header("DPoP", proof).form(form)).await
    }

    /// Asks for a refresh that nothing can come of but an answer.
    async fn try_nonce(&self, nonce: Option<&str>) -> Answer {
        self.ask(&refresh_form("x"), nonce).await
    }
}

#[tokio::test]
async fn a_nonce_can_be_asked_for_where_none_was() {
    let app = App::new().await;
    app.stand.issuer.inject(Fault::dpop_nonce_asked(), Times::Always);
    let code = app.stand.code(&Query::good()).await;
    let asked = app.ask(&code_form(&code), None).await;
    asked.assert_error(400, "use_dpop_nonce");
    app.ask(&code_form(&code), Some("made-up")).await.assert_error(400, "use_dpop_nonce");
    let nonce = Some(asked.headers["dpop-nonce"].as_str());
    assert_eq!(app.ask(&code_form(&code), nonce).await.status, 200);

    let once = App::new().await;
    once.stand.issuer.inject(Fault::dpop_nonce_asked(), Times::Once);
    once.try_nonce(None).await.assert_error(400, "use_dpop_nonce");
    once.try_nonce(None).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn nonces_can_rotate_at_every_answer() {
    let app = App::new().await;
    app.stand.issuer.inject(Fault::dpop_nonce_rotating(), Times::Always);
    let first = app.try_nonce(None).await;
    first.assert_error(400, "use_dpop_nonce");
    let mut nonce = first.headers["dpop-nonce"].clone();
    for _ in 0..3 {
        let answer = app.try_nonce(Some(&nonce)).await;
        answer.assert_error(400, "invalid_grant");
        assert_ne!(answer.headers["dpop-nonce"], nonce);
        nonce.clone_from(&answer.headers["dpop-nonce"]);
    }
    let before = first.headers["dpop-nonce"].as_str();
    app.try_nonce(Some(before)).await.assert_error(400, "use_dpop_nonce");
}

#[tokio::test]
async fn no_nonce_can_be_good_enough() {
    let app = App::new().await;
    app.stand.issuer.inject(Fault::dpop_nonce_loop(), Times::Always);
    let mut nonce = None;
    for _ in 0..4 {
        let answer = app.try_nonce(nonce.as_deref()).await;
        answer.assert_error(400, "use_dpop_nonce");
        let next = answer.headers["dpop-nonce"].clone();
        assert_ne!(nonce.replace(next.clone()), Some(next));
    }
}

#[tokio::test]
async fn a_nonce_can_be_asked_for_and_not_given() {
    let app = App::new().await;
    app.stand.issuer.inject(Fault::dpop_nonce_without_header(), Times::Once);
    let code = app.stand.code(&Query::good()).await;
    let answer = app.ask(&code_form(&code), None).await;
    answer.assert_error(400, "use_dpop_nonce");
    assert!(!answer.headers.contains_key("dpop-nonce"));
    assert_eq!(app.ask(&code_form(&code), None).await.status, 200);
}

#[tokio::test]
async fn a_good_proof_can_be_refused() {
    let app = App::new().await;
    app.stand.issuer.inject(Fault::dpop_proof_refused(), Times::Once);
    app.try_nonce(None).await.assert_error(400, "invalid_dpop_proof");
    app.try_nonce(None).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_bound_token_can_be_called_a_bearer_token() {
    let app = App::new().await;
    for (fault, token_type) in [(Some(Fault::dpop_downgrade()), "Bearer"), (None, "DPoP")] {
        if let Some(fault) = fault {
            app.stand.issuer.inject(fault, Times::Once);
        }
        let code = app.stand.code(&Query::good()).await;
        let tokens = app.ask(&code_form(&code), None).await;
        assert_eq!(tokens.text("token_type"), token_type);
    }
}

#[tokio::test]
async fn where_nonces_are_asked_for_anyway_a_fault_changes_the_rule_for_a_while() {
    let rotation = std::time::Duration::from_hours(1);
    let app = App::with(Nonces::Asked { rotation }).await;
    let nonce = app.try_nonce(None).await.headers["dpop-nonce"].clone();
    app.stand.issuer.inject(Fault::dpop_nonce_loop(), Times::Once);
    let answer = app.try_nonce(Some(&nonce)).await;
    answer.assert_error(400, "use_dpop_nonce");
    let nonce = answer.headers["dpop-nonce"].as_str();
    app.try_nonce(Some(nonce)).await.assert_error(400, "invalid_grant");
}
