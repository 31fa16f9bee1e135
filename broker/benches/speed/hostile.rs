//! A token from memory beside a hundred peers that mean no good, each kind in processes of its own.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::time::Duration;

use crate::app::{App, get_token};
use crate::figures::{compare, in_turn};
use crate::pair::Pair;

/// The argument that makes this program a few such peers.
pub(crate) const WORD: &str = "hostile";

/// How many processes there are of each kind, and how many peers in each.
const PROCESSES: usize = 5;
const PEERS: usize = 5;
const CALLS: usize = 20_000;
/// When a peer ends by itself, whatever becomes of the measurement.
const LONGEST: Duration = Duration::from_mins(1);

/// What one peer does with a connection, until it has none.
type Deed = fn(UnixStream, &str);

/// What they do again and again, by the word that chooses it.
const KINDS: [(&str, Deed); 4] =
    [("silent", silent), ("half", half), ("deaf", deaf), ("hasty", hasty)];

pub(crate) fn measure() {
    let pair = Pair::start();
    let (mut app, mut other) = (App::connect(&pair.broker), App::connect(&pair.nothing));
    let mut turns = || in_turn(CALLS, || app.token(&pair.call), || other.token(&pair.call));
    let (before, base_before) = turns();
    let crowd = Crowd::at(&pair.broker);
    let (beside, base_beside) = turns();
    drop(crowd);
    let peers = KINDS.len() * PROCESSES * PEERS;
    let title = format!("a warm token beside {peers} hostile peers");
    compare(&title, ("beside them", &beside), ("before", &before));
    let title = "a server that does nothing and that they leave alone, at the same times";
    compare(title, ("beside them", &base_beside), ("before", &base_before));
}

/// All of the peers, until it is dropped.
struct Crowd(Vec<Child>);

impl Crowd {
    /// Starts them, and waits until each is connected.
    fn at(socket: &Path) -> Self {
        let kinds = KINDS.iter().flat_map(|kind| [kind.0; PROCESSES]);
        let mut crowd = Self(kinds.map(|kind| start(socket, kind)).collect());
        for child in &mut crowd.0 {
            child.stdout.as_mut().unwrap().read_exact(&mut [0]).expect("the peers are there");
        }
        crowd
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _gone = child.kill();
            let _reaped = child.wait();
        }
    }
}

fn start(socket: &Path, kind: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .arg(WORD)
        .arg(socket)
        .arg(kind)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The peers of one process.
pub(crate) fn be(socket: &Path, kind: &str) {
    let (_, deed) = KINDS.iter().find(|(word, _)| *word == kind).unwrap();
    let call = format!("{}\0", get_token(""));
    let connected = Barrier::new(PEERS + 1);
    let peer = || {
        let mut stream = connect(socket);
        connected.wait();
        loop {
            deed(stream, &call);
            stream = connect(socket);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..PEERS {
            scope.spawn(peer);
        }
        connected.wait();
        println!();
        std::thread::sleep(LONGEST);
        std::process::exit(0);
    });
}

fn connect(socket: &Path) -> UnixStream {
    UnixStream::connect(socket).unwrap()
}

/// Says nothing, until the broker has had enough.
fn silent(mut stream: UnixStream, _: &str) {
    let mut some = [0; 1024];
    while let Ok(1..) = stream.read(&mut some) {}
}

/// Says half of what it wants.
fn half(mut stream: UnixStream, call: &str) {
    let _cut_off = stream.write_all(&call.as_bytes()[..call.len() / 2]);
    silent(stream, call);
}

/// Asks and asks, and reads no answer.
fn deaf(mut stream: UnixStream, call: &str) {
    while stream.write_all(call.as_bytes()).is_ok() {}
}

/// Leaves at once.
fn hasty(stream: UnixStream, _: &str) {
    drop(stream);
}
