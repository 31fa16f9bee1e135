//! Serves a router on a socket, with limits, until it is told to stop. TLS is for the proxy in
//! front.
//!
//! `axum::serve` sets no timer and allows 400 KiB of headers, so a client that sends a header a
//! minute would hold its connection for ever. This is the same loop with the limits set:
//!
//! 1. A connection is accepted once there is a slot for it.
//! 2. Its request heads are bounded in time, size and number, and so is the time between requests.
//! 3. At shutdown nothing more is accepted, and what is under way gets five seconds to end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

/// Connections at once. Further clients wait in the socket's own queue.
const MAX_CONNECTIONS: usize = 1024;

/// From the first wait for a request to the end of its head.
const HEAD_LIMIT: Duration = Duration::from_secs(15);

/// Bytes of a request's head: a token of the largest size, and 8 KiB for all the rest.
const HEAD_SIZE: usize = 24 * 1024;

/// Browsers send about twenty, proxies add a few.
const MAX_HEADERS: usize = 64;

/// What requests under way at shutdown have left. Shorter than the ten seconds after which common
/// supervisors kill.
const DRAIN: Duration = Duration::from_secs(5);

/// Between two tries to accept when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum End {
    /// Everything under way was answered.
    Drained,
    /// Something was still under way when the time for the drain was over.
    CutShort,
}

/// Serves until `shutdown` is ready and the drain is over.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> End {
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &router, &graceful) => {}
        () = shutdown => {}
    }
    drop(listener);
    tracing::info!(connections = graceful.count(), "draining");
    let drained = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    drained.map_or(End::CutShort, |()| End::Drained)
}

async fn accept(listener: &TcpListener, router: &Router, graceful: &GracefulShutdown) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // The semaphore is never closed, so this ends with its caller.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(connection(stream, peer, router.clone(), graceful.watcher(), slot));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
    _slot: OwnedSemaphorePermit,
) {
    // Without it a small answer can wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        // Whose word on the request's own address counts depends on who is at the other end.
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_header_size(HEAD_SIZE)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "the connection broke off");
    }
}
