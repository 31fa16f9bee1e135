//! Serves a router on a socket, with limits, until it is told to stop.
//!
//! `axum::serve` sets no timer and allows 400 KiB of headers, so a client that sends a header a
//! minute would hold its connection for ever. This is the same loop with the limits set:
//!
//! 1. A connection is accepted once there is a slot for it.
//! 2. TLS, where it is served, is agreed upon in the connection's own task and in bounded time.
//! 3. Its request heads are bounded in time, size and number, and so is the time between requests.
//! 4. A client that does not read its answers is not waited for: it would hold its slot for ever.
//! 5. At shutdown nothing more is accepted, and what is under way gets five seconds to end.

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
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::origin::OverTls;

/// Connections at once. Further clients wait in the socket's own queue.
const MAX_CONNECTIONS: usize = 1024;

/// From the first wait for a request to the end of its head; and for all of a TLS handshake.
const HEAD_LIMIT: Duration = Duration::from_secs(15);

/// Without a byte of an answer that the client takes.
const WRITE_LIMIT: Duration = Duration::from_secs(15);

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
    serve_with(listener, None, router, shutdown).await
}

/// The same, with TLS if there is something to accept it.
pub async fn serve_with(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> End {
    let graceful = GracefulShutdown::new();
    let door = Door { tls, router };
    tokio::select! {
        () = accept(&listener, &door, &graceful) => {}
        () = shutdown => {}
    }
    drop(listener);
    tracing::info!(connections = graceful.count(), "draining");
    let drained = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    drained.map_or(End::CutShort, |()| End::Drained)
}

/// What a connection meets.
#[derive(Clone)]
struct Door {
    tls: Option<TlsAcceptor>,
    router: Router,
}

async fn accept(listener: &TcpListener, door: &Door, graceful: &GracefulShutdown) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // The semaphore is never closed, so this ends with its caller.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(door.clone().open(stream, peer, graceful.watcher(), slot));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

impl Door {
    async fn open(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
        _slot: OwnedSemaphorePermit,
    ) {
        // Without it a small answer can wait for the client's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = &self.tls else {
            return http(stream, Origin { peer, tls: false }, self.router, watcher).await;
        };
        match tokio::time::timeout(HEAD_LIMIT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, Origin { peer, tls: true }, self.router, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
            Err(_) => tracing::debug!("no TLS in time"),
        }
    }
}

/// Whose word on a request's own address counts depends on where it comes from.
#[derive(Clone, Copy)]
struct Origin {
    peer: SocketAddr,
    tls: bool,
}

impl Origin {
    fn mark<B>(self, request: &mut Request<B>) {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        if self.tls {
            request.extensions_mut().insert(OverTls);
        }
    }
}

async fn http<S>(stream: S, from: Origin, router: Router, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        from.mark(&mut request);
        router.clone().oneshot(request)
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_LIMIT));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_header_size(HEAD_SIZE)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "the connection broke off");
    }
}
