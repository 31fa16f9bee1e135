//! Connections: their limits, and how they end.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use private_api::routes::{Api, router};
use private_api::server::{End, serve};
use support::api::Stand;
use support::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A stand whose API is reached through a real socket.
struct Served {
    stand: Stand,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<End>,
}

impl Served {
    async fn start() -> Self {
        let stand = Stand::start().await;
        let verifier = stand.api.verifier.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let router = router(Api::new(verifier));
        let server = tokio::spawn(serve(listener, router, async move {
            let _ = stopped.await;
        }));
        Self { stand, address, stop, server }
    }

    /// Opens a connection and writes to it.
    async fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }
}

/// What the other side says until it closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

fn private(token: &str) -> String {
    format!("GET /private HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n")
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let served = Served::start().await;
    served.stand.issuer.hold();
    let stream = served.send(&private(&served.stand.token())).await;
    eventually(|| served.stand.issuer.jwks_requests() == 1).await;

    served.stop.send(()).unwrap();
    served.stand.issuer.release();
    assert!(rest(stream).await.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(served.server.await.unwrap(), End::Drained);
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let served = Served::start().await;
    let silent = served.send("").await;
    let mut used = served.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut first = [0; 15];
    used.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");

    served.stop.send(()).unwrap();
    assert_eq!(served.server.await.unwrap(), End::Drained);
    assert_eq!(rest(silent).await, "");
}

/// Answers that nobody takes fill up what the system keeps of them, and then the server waits.
#[tokio::test]
#[ignore = "takes a quarter of a minute: ./test.sh runs it"]
async fn a_client_that_never_reads_is_hung_up_on() {
    let served = Served::start().await;
    let mut stream = served.send("").await;
    let requests = "GET /public HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    let hung_up = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_mins(2), hung_up).await.unwrap();
}

#[tokio::test]
async fn after_the_end_nobody_listens() {
    let served = Served::start().await;
    served.stop.send(()).unwrap();
    assert_eq!(served.server.await.unwrap(), End::Drained);
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_head_of_too_many_bytes_is_refused() {
    let served = Served::start().await;
    let stream = served.send(&private(&"a".repeat(24 * 1024))).await;
    assert!(rest(stream).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn a_head_of_too_many_lines_is_refused() {
    let served = Served::start().await;
    let lines = "x: y\r\n".repeat(65);
    let stream = served.send(&format!("GET /public HTTP/1.1\r\n{lines}\r\n")).await;
    assert!(rest(stream).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let served = Served::start().await;
    let stream = served.send("\x16\x03\x01 hello\r\n\r\n").await;
    assert!(rest(stream).await.starts_with("HTTP/1.1 400 "));
}
