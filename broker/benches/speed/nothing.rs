//! A server that does nothing: it answers every message on a Unix socket with the same bytes.
//!
//! It is a process of its own, as the broker is, and tokio serves its connections, as the broker's.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// The argument that makes this program that server.
pub(crate) const WORD: &str = "do-nothing";

/// Such a server, until it is dropped.
pub(crate) struct Nothing(Child);

impl Nothing {
    /// Starts one that answers `answer` on `socket`.
    pub(crate) fn start(socket: &Path, answer: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let child = command.arg(WORD).arg(socket).arg(answer).stdin(Stdio::null()).spawn();
        while std::os::unix::net::UnixStream::connect(socket).is_err() {
            std::thread::yield_now();
        }
        Self(child.unwrap())
    }
}

impl Drop for Nothing {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// The server itself.
pub(crate) fn serve(socket: &Path, answer: &str) {
    let answer = format!("{answer}\0").into_bytes();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = UnixListener::bind(socket).unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer_all(stream, answer.clone()));
        }
    });
}

async fn answer_all(mut stream: UnixStream, answer: Vec<u8>) {
    let mut buffer = vec![0; 16 * 1024];
    let mut length = 0;
    while let Ok(read @ 1..) = stream.read(&mut buffer[length..]).await {
        length += read;
        if buffer[length - 1] == 0 {
            length = 0;
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}
