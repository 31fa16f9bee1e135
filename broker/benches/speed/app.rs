//! An app that speaks to the socket by hand, so that no client library is measured.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// One open connection.
pub(crate) struct App {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl App {
    pub(crate) fn connect(socket: &Path) -> Self {
        Self { stream: UnixStream::connect(socket).unwrap(), buffer: vec![0; 16 * 1024] }
    }

    /// Sends a message, in one piece as a client library would.
    pub(crate) fn send(&mut self, message: &str) {
        let mut frame = message.as_bytes().to_vec();
        frame.push(0);
        self.stream.write_all(&frame).unwrap();
    }

    /// Sends a message and reads the answer, without the NUL bytes that end them.
    pub(crate) fn call(&mut self, message: &str) -> &str {
        self.send(message);
        let mut length = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[length..]).unwrap();
            assert!(read > 0, "the connection was closed");
            length += read;
            if self.buffer[length - 1] == 0 {
                return std::str::from_utf8(&self.buffer[..length - 1]).unwrap();
            }
        }
    }

    /// The same, where the answer must be a token.
    pub(crate) fn token(&mut self, message: &str) {
        let answer = self.call(message);
        assert!(answer.contains("access_token"), "{answer}");
    }
}

/// The call for a token of an account.
pub(crate) fn get_token(account: &str) -> String {
    call(account, "")
}

/// The same, renewed first.
pub(crate) fn force_token(account: &str) -> String {
    call(account, ",\"force\":true")
}

fn call(account: &str, more: &str) -> String {
    format!(
        "{{\"method\":\"org.authbroker.Broker1.GetToken\",\"parameters\":{{\"account\":{account:?}{more}}}}}"
    )
}
