//! A provider that does nothing: its token endpoint answers every request with the same bytes but
//! for a fresh refresh token, at once, after a while, or never.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

/// When the token endpoint answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answers {
    AtOnce,
    After(Duration),
    Never,
}

/// The provider, which lives as long as this process.
pub(crate) struct Provider {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    pub(crate) fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, count) = (stream.unwrap(), Arc::clone(&count));
                std::thread::spawn(move || serve(stream, address, answers, &count));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn issuer(&self) -> String {
        issuer(self.address)
    }

    /// How often its token endpoint was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Asks the token endpoint as a client without a broker would, on a connection of its own.
    pub(crate) fn ask(&self) {
        let form = "grant_type=refresh_token&refresh_token=refresh-0&client_id=bench";
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(
            stream,
            "POST /token HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            self.address,
            form.len()
        )
        .unwrap();
        let answer = read_message(&mut stream).unwrap();
        assert!(answer.contains("access_token"), "{answer}");
    }
}

fn issuer(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn serve(mut stream: TcpStream, address: SocketAddr, answers: Answers, asked: &AtomicUsize) {
    while let Some(request) = read_message(&mut stream) {
        let body = if request.starts_with("POST /token") {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            match answers {
                Answers::AtOnce => {}
                Answers::After(pause) => std::thread::sleep(pause),
                Answers::Never => std::thread::sleep(Duration::from_hours(1)),
            }
            tokens(number)
        } else {
            metadata(&issuer(address))
        };
        let sent = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if sent.is_err() {
            return;
        }
    }
}

/// Reads a head and the body that it announces; nothing where the other side is done.
fn read_message(stream: &mut TcpStream) -> Option<String> {
    let mut message = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&message);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut part) {
            Ok(read @ 1..) => message.extend_from_slice(&part[..read]),
            _ => return None,
        }
    }
}

fn tokens(number: usize) -> String {
    json!({
        "access_token": "a".repeat(700),
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": format!("refresh-{number}-{}", "r".repeat(64)),
    })
    .to_string()
}

fn metadata(issuer: &str) -> String {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    })
    .to_string()
}
