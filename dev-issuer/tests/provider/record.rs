//! The record of requests, and the life of the server.

use std::net::SocketAddr;

use dev_issuer::{Issuer, Options};
use tokio::net::TcpStream;

use crate::stand::{Answer, Stand, VERIFIER, soon};

#[tokio::test]
async fn one_sign_in_is_one_token_request() {
    let stand = Stand::new().await;
    stand.signed_in().await;
    let requests = stand.issuer.requests();
    let tokens: Vec<_> = requests.iter().filter(|request| request.path == "/token").collect();
    let [token] = tokens.as_slice() else { panic!("{tokens:?}") };
    assert!(token.is_grant("authorization_code"));
    assert_eq!((token.method.as_str(), token.status), ("POST", Some(200)));
    let names = ["grant_type", "client_id", "code", "redirect_uri", "code_verifier"];
    assert_eq!(token.parameters, names);
    assert_eq!(token.authorization, None);
}

#[tokio::test]
async fn no_secret_is_recorded() {
    let stand = Stand::new().await;
    let tokens = stand.signed_in().await;
    stand.refresh(tokens.text("refresh_token")).await;
    stand.userinfo(tokens.text("access_token")).await;
    let request = stand.http.post(stand.at("/token")).basic_auth("web-app", Some("s3cret"));
    Answer::of(request.form(&[("grant_type", "refresh_token")])).await;
    let record = format!("{:?}", stand.issuer.requests());
    let secrets = [
        tokens.text("refresh_token"),
        tokens.text("access_token"),
        VERIFIER,
        "wonderland",
        "state-1",
        "s3cret",
        "d2ViLWFwcDpzM2NyZXQ",
    ];
    for secret in secrets {
        assert!(!record.contains(secret), "{secret}");
    }
    assert!(record.contains("authorization: Some(\"Bearer\")"));
    assert!(record.contains("authorization: Some(\"Basic\")"));
}

#[tokio::test]
async fn waiting_ends_when_enough_requests_have_been_answered() {
    let stand = Stand::new().await;
    let answered = stand.issuer.wait_for(2, |request| request.status == Some(200));
    let asking = async {
        stand.get("/jwks").await;
        stand.get("/jwks").await;
    };
    let (seen, ()) = soon(async { tokio::join!(answered, asking) }).await;
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let listen = SocketAddr::from(([0, 0, 0, 0], 0));
    let error = Issuer::start(Options { listen, ..Options::default() }).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_stopped_issuer_has_left_its_port() {
    let issuer = Issuer::start(Options::default()).await.unwrap();
    let address: SocketAddr = issuer.url().strip_prefix("http://").unwrap().parse().unwrap();
    TcpStream::connect(address).await.unwrap();
    issuer.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    let again = Options { listen: address, ..Options::default() };
    assert_eq!(Issuer::start(again).await.unwrap().url(), format!("http://{address}"));
}
