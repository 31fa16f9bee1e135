//! A guard before whole services: a tower layer, so that it goes before any HTTP service.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, Request, Response, request};
use axum::response::IntoResponse;
use tower::{Layer, Service};

use super::{Authenticated, Verifier};
use crate::claims::Scope;
use crate::dpop::NONCE_HEADER;
use crate::error::Rejection;

/// Lets only requests with a good token through, whatever the handlers behind it ask: a layer for
/// routers of axum and for any other HTTP service.
///
/// What is behind it finds the caller as an [`Authenticated`] among the request's extensions; the
/// extractor takes it from there, so nothing is checked twice. Besides, it sends the next nonce
/// ahead where proofs must have one (RFC 9449 §8.2); without this layer a client learns of it by a
/// refusal.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use axum::{Router, routing::get};
/// # use private_api::auth::{RequireToken, Verifier};
/// # fn protected(verifier: Arc<Verifier>) -> Result<Router, Box<dyn std::error::Error>> {
/// let orders = RequireToken::new(verifier).with_scope("orders.read".parse()?);
/// let router = Router::new().route("/orders", get(|| async { "yours" })).route_layer(orders);
/// # Ok(router)
/// # }
/// ```
#[derive(Clone)]
pub struct RequireToken {
    verifier: Arc<Verifier>,
    scope: Option<Scope>,
}

impl RequireToken {
    /// A guard that asks for a good token and nothing more.
    pub fn new(verifier: Arc<Verifier>) -> Self {
        Self { verifier, scope: None }
    }

    /// The same, and the token must have been granted this scope: 403 otherwise.
    #[must_use]
    pub fn with_scope(self, scope: Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// Finds out who is calling; and, where callers must use nonces, the next one to send ahead.
    async fn admit(
        self,
        request: &request::Parts,
    ) -> Result<(Authenticated, Option<HeaderValue>), Rejection> {
        let (caller, ahead) = self.verifier.authenticate(request).await?;
        self.scope.map_or(Ok(()), |scope| caller.require_scope(&scope))?;
        Ok((caller, ahead))
    }
}

impl<S> Layer<S> for RequireToken {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, guard: self.clone() }
    }
}

/// A service behind [`RequireToken`].
#[derive(Clone)]
pub struct Guarded<S> {
    inner: S,
    guard: RequireToken,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that was asked whether it is ready is the one that is called.
        let fresh = self.inner.clone();
        let inner = mem::replace(&mut self.inner, fresh);
        Box::pin(pass(self.guard.clone(), inner, request))
    }
}

async fn pass<S, B, R>(
    guard: RequireToken,
    mut inner: S,
    request: Request<B>,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    let (mut parts, body) = request.into_parts();
    let (caller, ahead) = match guard.admit(&parts).await {
        Ok(admitted) => admitted,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    parts.extensions.insert(caller);
    let mut response = inner.call(Request::from_parts(parts, body)).await?.map(Body::new);
    if let Some(nonce) = ahead {
        response.headers_mut().insert(NONCE_HEADER, nonce);
    }
    Ok(response)
}
