//! Where the browser comes back (RFC 8252 §7.3): a small web server for one sign-in, or for the end
//! of one.
//!
//! 1. It listens on loopback literals only, from the authorization request until the answer.
//! 2. Every process and every web page on this machine can knock. Requests are bounded in number,
//!    size and time; a foreign `Host` is turned away; only a request that knows the state counts.
//! 3. The first answer is handed to the sign-in, which decides what its page says. Later ones get
//!    a harmless page and cause nothing.

mod page;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authbroker_core::failure::{Code, Failure};
use authbroker_core::sign_in::Redirect;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::page::Page;

/// Connections served at once; a browser needs two or three.
const MAX_CONNECTIONS: usize = 16;
/// The largest request head, in bytes. Codes are long at some providers.
const MAX_HEAD: usize = 32 * 1024;
/// How long a request's head may take to arrive.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// How many ports are tried where any will do: one that is free at the first address of `localhost`
/// may be taken at the second.
const ANY_PORT_TRIES: usize = 8;
/// How long the last page may take to be sent when the sign-in is over.
const FAREWELL: Duration = Duration::from_secs(2);

/// A listener for one sign-in. Dropping it closes the port.
#[derive(Debug)]
pub struct Loopback {
    redirect: Redirect,
    port: u16,
    listeners: Vec<TcpListener>,
}

/// What a query is worth: an answer, or `None` for a request that does not know the state.
pub type Judge<V> = Arc<dyn Fn(&str) -> Option<V> + Send + Sync>;

/// What the listener hears.
#[derive(Debug)]
pub enum Heard<V> {
    /// The answer, and the place for the page that the person will see.
    Answer(V, oneshot::Sender<Page>),
    /// A request to the right path that does not know the state.
    Stray,
}

/// A listener at work.
#[derive(Debug)]
pub struct Listening<V> {
    heard: mpsc::Receiver<Heard<V>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Loopback {
    /// Takes a port: the first free one of `ports`, or any where the list is empty.
    pub async fn bind(redirect: &Redirect, ports: &[u16]) -> Result<Self, Failure> {
        let any = [0; ANY_PORT_TRIES];
        let candidates = if ports.is_empty() { &any[..] } else { ports };
        let mut refused = None;
        for port in candidates {
            match bind_all(redirect, *port).await {
                Ok((port, listeners)) => {
                    return Ok(Self { redirect: redirect.clone(), port, listeners });
                }
                Err(error) => refused = Some(error),
            }
        }
        let why = refused.map(|error| error.to_string()).unwrap_or_default();
        let (message, hint) = if ports.is_empty() {
            let host = redirect.host();
            (format!("no port could be opened at {host}: {why}"), "check redirect.host")
        } else {
            let message = format!("none of the ports {ports:?} is free: {why}");
            (message, "free one of them, or name more in redirect.ports")
        };
        Err(Failure::new(Code::Internal, message, hint))
    }

    /// The redirect URI of this attempt.
    pub fn redirect_uri(&self) -> String {
        self.redirect.uri(self.port)
    }

    /// Begins to listen for the answer, which `judge` knows.
    pub fn listen<V: Send + 'static>(self, judge: Judge<V>) -> Listening<V> {
        let (sender, heard) = mpsc::channel(4);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let desk = Arc::new(Desk {
            redirect: self.redirect,
            port: self.port,
            judge,
            sender: Mutex::new(Some(sender.clone())),
            strays: sender,
            places: Semaphore::new(MAX_CONNECTIONS),
        });
        for listener in self.listeners {
            tasks.spawn(accept(listener, Arc::clone(&desk), stop.clone(), tasks.clone()));
        }
        tasks.close();
        Listening { heard, stop, tasks }
    }
}

impl<V> Listening<V> {
    /// Waits for the next thing that comes.
    pub async fn next(&mut self) -> Option<Heard<V>> {
        self.heard.recv().await
    }

    /// Closes the port, and lets the last page get out.
    pub async fn finish(mut self) {
        self.stop.cancel();
        self.heard.close();
        let _late = tokio::time::timeout(FAREWELL, self.tasks.wait()).await;
    }
}

impl<V> Drop for Listening<V> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Opens every address that the redirect's host stands for, all on one port.
async fn bind_all(redirect: &Redirect, port: u16) -> std::io::Result<(u16, Vec<TcpListener>)> {
    let mut bound = None;
    let mut listeners = Vec::new();
    for address in redirect.addresses(port) {
        let address = SocketAddr::new(address.ip(), bound.unwrap_or(port));
        match TcpListener::bind(address).await {
            Ok(listener) => {
                bound = Some(listener.local_addr()?.port());
                listeners.push(listener);
            }
            // `localhost` has two addresses, and a machine may have IPv6 turned off.
            Err(error)
                if bound.is_some() && error.kind() == std::io::ErrorKind::AddrNotAvailable => {}
            Err(error) => return Err(error),
        }
    }
    Ok((bound.unwrap_or(port), listeners))
}

/// What the connections of one sign-in share.
struct Desk<V> {
    redirect: Redirect,
    port: u16,
    judge: Judge<V>,
    // Taken by the first answer: there is no second.
    sender: Mutex<Option<mpsc::Sender<Heard<V>>>>,
    strays: mpsc::Sender<Heard<V>>,
    places: Semaphore,
}

async fn accept<V: Send + 'static>(
    listener: TcpListener,
    desk: Arc<Desk<V>>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        if let Ok((stream, _)) = accepted {
            tasks.spawn(serve(stream, Arc::clone(&desk), stop.clone()));
        }
    }
}

async fn serve<V: Send + 'static>(stream: TcpStream, desk: Arc<Desk<V>>, stop: CancellationToken) {
    let Ok(_place) = desk.places.try_acquire() else { return };
    let handler = service_fn(|request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.answer(request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), handler);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ended = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ended = connection.await;
        }
    }
}

impl<V: Send> Desk<V> {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok());
        if !host.is_some_and(|host| self.redirect.is_own_host(host, self.port)) {
            return Page::wrong_host().into_response();
        }
        if request.uri().path() != self.redirect.path() {
            return Page::not_found().into_response();
        }
        if request.method() != Method::GET {
            return Page::wrong_method().into_response();
        }
        match (self.judge)(request.uri().query().unwrap_or_default()) {
            None => {
                let _full = self.strays.try_send(Heard::Stray);
                Page::stray().into_response()
            }
            Some(answer) => self.hand_over(answer).await.into_response(),
        }
    }

    /// Hands the answer to the sign-in and waits for what it has to say to the person.
    async fn hand_over(&self, answer: V) -> Page {
        let first = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(sender) = first else { return Page::already_answered() };
        let (page, shown) = oneshot::channel();
        if sender.send(Heard::Answer(answer, page)).await.is_err() {
            return Page::already_answered();
        }
        shown.await.unwrap_or_else(|_| Page::already_answered())
    }
}
