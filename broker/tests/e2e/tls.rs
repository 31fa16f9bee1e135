//! Providers with certificates (RFC 9325).

use std::path::{Path, PathBuf};

use tokio::net::TcpListener;

use crate::stand::Stand;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/tests/fixtures/tls").join(name)
}

/// A host that nobody certified, and that sees what is sent to it only after the handshake.
async fn self_signed() -> (String, tokio::sync::mpsc::Receiver<()>) {
    let acceptor = private_api::tls::acceptor(&fixture("cert.pem"), &fixture("key.pem")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let (trusted, seen) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(_stream) = acceptor.accept(stream).await {
                let _full = trusted.try_send(());
            }
        }
    });
    (url, seen)
}

#[tokio::test]
async fn a_provider_whose_certificate_nobody_vouches_for_is_told_nothing() {
    let stand = Stand::new().await;
    let (url, mut seen) = self_signed().await;
    let path = stand.path("config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let provider = format!("[provider.other]\nissuer = {url:?}\nclient_id = \"c\"\n");
    std::fs::write(&path, format!("{text}{provider}")).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    let refused = stand.ctl(["login", "other", "--no-browser"]).await;
    refused.assert_fails(5, "127.0.0.1 cannot be trusted", "ca_file");
    assert!(seen.try_recv().is_err(), "the handshake was never finished");

    let ca_file = format!("{provider}ca_file = {:?}\n", fixture("cert.pem").display());
    std::fs::write(&path, format!("{text}{ca_file}")).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);
    let trusted = stand.ctl(["login", "other", "--no-browser"]).await;
    assert!(!trusted.err.contains("cannot be trusted"), "{trusted:?}");
    assert!(seen.try_recv().is_ok(), "and with the certificate it was");
}
