//! One end of a socket pair, given by a process that keeps the other: a way to tell it something
//! that nobody else can read.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::net::sockopt::{socket_peercred, socket_type};
use rustix::net::{SendFlags, Shutdown, SocketType, send, shutdown};

/// The end that was given. Dropping it ends the connection, so that the other end need not wait.
#[derive(Debug)]
pub struct Sink(UnixStream);

impl Sink {
    /// Takes a descriptor, if it is one end of a connected pair of Unix stream sockets that the
    /// user `uid` made. A pipe could be opened again by others, through `/proc`; a socket with a
    /// name may lead to anybody.
    pub fn of(descriptor: OwnedFd, uid: u32) -> io::Result<Self> {
        let refuse = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why);
        if socket_type(&descriptor).map_err(|_| refuse("it is no socket"))? != SocketType::STREAM {
            return Err(refuse("it is no stream"));
        }
        let socket = UnixStream::from(descriptor);
        let own = socket.local_addr().map_err(|_| refuse("it is no Unix socket"))?;
        let peer = socket.peer_addr().map_err(|_| refuse("it is not connected"))?;
        if !own.is_unnamed() || !peer.is_unnamed() {
            return Err(refuse("it has a name"));
        }
        if socket_peercred(&socket)?.uid.as_raw() != uid {
            return Err(refuse("another user made it"));
        }
        Ok(Self(socket))
    }

    /// Writes all of `bytes` and ends the connection. Never waits: an end that takes too little is
    /// an error.
    pub fn pour(self, mut bytes: &[u8]) -> io::Result<()> {
        // Said with each call, and not set on the socket, which the other process may share.
        let at_once = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        while !bytes.is_empty() {
            match send(&self.0, bytes, at_once) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _gone = shutdown(self.0.as_fd(), Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::{UnixDatagram, UnixListener};

    use super::*;
    use crate::platform::own_uid;

    #[test]
    fn what_is_poured_arrives_and_the_other_end_hears_that_it_was_all() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        // A copy that stays open elsewhere, as with whoever carried it here, holds up nobody.
        let _copy = theirs.try_clone().unwrap();
        Sink::of(theirs.into(), own_uid()).unwrap().pour(b"for you alone").unwrap();
        let mut text = String::new();
        (&ours).read_to_string(&mut text).unwrap();
        assert_eq!(text, "for you alone");
        assert!((&ours).write_all(b"thanks").is_err(), "shut down both ways");
    }

    #[test]
    fn a_full_socket_is_an_error_and_nothing_waits() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let flood = vec![0; 8 * 1024 * 1024];
        let poured = Sink::of(theirs.into(), own_uid()).unwrap().pour(&flood);
        assert_eq!(poured.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(ours);
    }

    #[test]
    fn whatever_else_has_a_descriptor_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let named = UnixStream::connect(&path).unwrap();
        let (_reader, pipe) = io::pipe().unwrap();
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
        let file = tempfile::tempfile().unwrap();
        let others: [OwnedFd; 6] = [
            listener.into(),
            named.into(),
            pipe.into(),
            tcp.into(),
            file.into(),
            UnixDatagram::pair().unwrap().0.into(),
        ];
        for other in others {
            let refused = Sink::of(other, own_uid()).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{refused}");
        }
        let (_ours, theirs) = UnixStream::pair().unwrap();
        Sink::of(theirs.into(), own_uid() + 1).unwrap_err();
    }
}
