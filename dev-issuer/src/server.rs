//! The accept loop. Ending it, or dropping its future, ends every connection with it.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::faults::Lost;

/// Serves until its future is dropped.
pub(crate) async fn serve(listener: TcpListener, routes: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(connection(stream, routes.clone())); }
                Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, routes: Router) {
    let service = service_fn(move |request: hyper::Request<_>| {
        let answer = routes.clone().oneshot(request.map(Body::new));
        async { keep_or_lose(answer.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// An error from a service makes hyper close the connection without a byte of answer.
fn keep_or_lose(answer: Result<Response, Infallible>) -> Result<Response, AnswerLost> {
    let Ok(response) = answer;
    match response.extensions().get::<Lost>() {
        None => Ok(response),
        Some(Lost) => Err(AnswerLost),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the answer was lost, as a fault asked for")]
struct AnswerLost;
