//! The load: 32 connections, each with a request under way at all times, from one thread.
//!
//! The connections are served in turn: the answer on one is read and its next request is sent, then
//! it is the next one's turn. So the server is never without work, and the generator costs little.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::servers::Server;

/// As many as the comparison with other backends was made with.
const CONNECTIONS: usize = 32;

/// Bytes. More than any answer of these servers.
const ANSWER: usize = 8 * 1024;

/// What to send, and until when.
pub(crate) enum Load<'a> {
    /// The same request for this long.
    Repeat(&'a [u8], Duration),
    /// Each of these once.
    Each(&'a [Vec<u8>]),
}

/// What came of it.
#[derive(Clone)]
pub(crate) struct Outcome {
    pub(crate) per_second: f64,
    /// What a request cost the server, in microseconds of CPU time.
    pub(crate) cpu: f64,
    /// How long a client waited, in microseconds: the median and the 99th percentile.
    pub(crate) waits: [f64; 2],
}

/// A connection and when its request was sent.
pub(crate) struct Connection {
    stream: TcpStream,
    sent: Instant,
}

impl<'a> Load<'a> {
    pub(crate) fn repeat(request: &'a [u8], during: Duration) -> Self {
        Self::Repeat(request, during)
    }

    pub(crate) fn each(requests: &'a [Vec<u8>]) -> Self {
        Self::Each(requests)
    }

    /// Puts the load on a server, and fails if any answer is not 200.
    pub(crate) fn on(self, server: &Server) -> Outcome {
        self.on_all(&[server])
    }

    /// The same on several servers at once, which get their connections in turn.
    pub(crate) fn on_all(self, servers: &[&Server]) -> Outcome {
        let used = || servers.iter().map(|server| server.cpu()).sum::<Duration>();
        let (begun, cpu) = (Instant::now(), used());
        let mut waits = match self {
            Self::Repeat(request, during) => {
                let requests = std::iter::repeat_with(|| request);
                run(servers, requests.take_while(|_| begun.elapsed() < during))
            }
            Self::Each(requests) => run(servers, requests.iter().map(Vec::as_slice)),
        };
        let (took, cpu) = (begun.elapsed(), used().saturating_sub(cpu));
        waits.sort_unstable();
        let wait = |percent: usize| waits[(waits.len() - 1) * percent / 100].as_secs_f64() * 1e6;
        Outcome {
            per_second: waits.len() as f64 / took.as_secs_f64(),
            cpu: cpu.as_secs_f64() * 1e6 / waits.len() as f64,
            waits: [wait(50), wait(99)],
        }
    }
}

fn run<'r>(servers: &[&Server], mut requests: impl Iterator<Item = &'r [u8]>) -> Vec<Duration> {
    let mut waits = Vec::new();
    let mut connections: Vec<_> = servers
        .iter()
        .cycle()
        .zip(requests.by_ref().take(CONNECTIONS))
        .map(|(server, request)| Connection::open(server, request))
        .collect();
    while !connections.is_empty() {
        connections.retain_mut(|connection| {
            assert_eq!(connection.receive(), 200);
            waits.push(connection.sent.elapsed());
            requests.next().map(|request| connection.send(request)).is_some()
        });
    }
    waits
}

impl Connection {
    pub(crate) fn open(server: &Server, request: &[u8]) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut connection = Self { stream, sent: Instant::now() };
        connection.send(request);
        connection
    }

    pub(crate) fn send(&mut self, request: &[u8]) {
        self.sent = Instant::now();
        self.stream.write_all(request).unwrap();
    }

    /// Reads one answer; gives its status.
    pub(crate) fn receive(&mut self) -> u16 {
        let mut buffer = [0; ANSWER];
        let mut filled = 0;
        while !is_whole(&buffer[..filled]) {
            let read = self.stream.read(&mut buffer[filled..]).unwrap();
            assert_ne!(read, 0, "the server hung up: {}", text(&buffer[..filled]));
            filled += read;
        }
        let status = buffer.strip_prefix(b"HTTP/1.1 ").expect("an answer of HTTP");
        text(&status[..3]).parse().expect("a status")
    }
}

/// Whether an answer is there to the end of its body.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = text(&answer[..end]).to_ascii_lowercase();
    let (_, rest) = head.split_once("content-length:").expect("an answer with a length");
    let length: usize = rest.lines().next().unwrap().trim().parse().unwrap();
    answer.len() >= end + 4 + length
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
