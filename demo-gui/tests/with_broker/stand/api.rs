//! An API of a page: `/private` in the mood that a test gives it, and Alice's picture.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::broker::token;

/// How the API takes a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Any token is good.
    #[default]
    Kind,
    /// Only one that was renewed so often.
    WantsRenewed(u32),
    /// None is, for want of a scope.
    Refuses,
    /// It has a fault.
    Broken,
}

/// How old the API takes the sign-in to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SignIn {
    #[default]
    Old,
    Recent,
}

#[derive(Debug, Clone, Copy, Default)]
struct Desk {
    mood: Mood,
    sign_in: SignIn,
    served: u32,
}

/// The API. It is gone when this is dropped.
pub(crate) struct Api {
    url: String,
    desk: watch::Sender<Desk>,
    _task: AbortOnDropHandle<()>,
}

impl Api {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (desk, _) = watch::channel(Desk::default());
        let task = AbortOnDropHandle::new(tokio::spawn(serve(listener, desk.clone())));
        Self { url, desk, _task: task }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.desk.send_modify(|desk| desk.mood = mood);
    }

    pub(crate) fn takes_sign_in_as(&self, sign_in: SignIn) {
        self.desk.send_modify(|desk| desk.sign_in = sign_in);
    }

    /// How often `/private` was asked for.
    pub(crate) fn served(&self) -> u32 {
        self.desk.borrow().served
    }
}

async fn serve(listener: TcpListener, desk: watch::Sender<Desk>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, desk.clone()));
    }
}

async fn answer(mut stream: TcpStream, desk: watch::Sender<Desk>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let (status, headers, body) = match request.split(' ').nth(1) {
        Some("/private") => {
            desk.send_modify(|desk| desk.served += 1);
            private(desk.borrow().mood, &request)
        }
        Some("/private/recent") => recent(desk.borrow().sign_in),
        _ => ("200 OK", "content-type: image/png\r\n", picture()),
    };
    let head = format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\n");
    let head = format!("{head}content-length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
}

type Page = (&'static str, &'static str, Vec<u8>);

fn private(mood: Mood, request: &str) -> Page {
    let bears = |renewals| request.contains(&format!("authorization: Bearer {}", token(renewals)));
    let message = b"Only authenticated users can read this message.".to_vec();
    match mood {
        Mood::Broken => ("503 Service Unavailable", "", Vec::new()),
        Mood::Refuses => (
            "403 Forbidden",
            "www-authenticate: Bearer error=\"insufficient_scope\"\r\n",
            br#"{"error":"insufficient_scope","error_description":"A scope is missing"}"#.to_vec(),
        ),
        Mood::WantsRenewed(least) if !bears(least) => (
            "401 Unauthorized",
            "www-authenticate: Bearer error=\"invalid_token\", error_description=\"Too old\"\r\n",
            Vec::new(),
        ),
        Mood::Kind | Mood::WantsRenewed(_) => ("200 OK", "content-type: text/plain\r\n", message),
    }
}

fn recent(sign_in: SignIn) -> Page {
    match sign_in {
        SignIn::Recent => (
            "200 OK",
            "content-type: text/plain\r\n",
            b"Only users who have just signed in can read this message.".to_vec(),
        ),
        SignIn::Old => (
            "401 Unauthorized",
            "www-authenticate: Bearer error=\"insufficient_user_authentication\", max_age=\"300\"\r\n",
            Vec::new(),
        ),
    }
}

/// A meadow under a sky: not round, so that the window has to make it so.
fn picture() -> Vec<u8> {
    let image = RgbImage::from_fn(200, 160, |x, y| match (x, y) {
        (x, y) if (x.abs_diff(100)).pow(2) + y.abs_diff(64).pow(2) < 900 => Rgb([250, 214, 120]),
        (_, y) if y > 110 => Rgb([90, 158, 111]),
        (_, y) if y > 60 => Rgb([146, 194, 236]),
        _ => Rgb([120, 176, 230]),
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}
