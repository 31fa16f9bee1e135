//! What the kernel tells about the network (rtnetlink(7)): links, addresses and routes.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use authbroker_core::time::BootTime;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::readable;
use crate::platform::clock;

/// A network comes up in steps, and seldom works after the first: they are told as one.
const SETTLING: Duration = Duration::from_millis(500);
/// The pause where the socket cannot be read, which the kernel gives no reason to expect.
const AFTER_A_FAULT: Duration = Duration::from_secs(1);

/// The groups of messages (linux/rtnetlink.h): links, addresses and routes of both families.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// The kinds of messages that may mean that something can be reached.
const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
/// In the flags of a link: it carries (linux/if.h, `IFF_RUNNING`).
const RUNNING: u32 = 0x40;
/// Where a message has its kind, and the message about a link its flags.
const KIND_AT: usize = 4;
const LINK_FLAGS_AT: usize = 24;

/// The network, listened to.
#[derive(Debug)]
pub(super) struct Network {
    socket: AsyncFd<OwnedFd>,
    /// When the change that was heard of last has settled.
    settled_at: Option<BootTime>,
}

impl Network {
    pub(super) fn listen() -> io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        // Without a protocol: NETLINK_ROUTE.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self { socket: readable(socket)?, settled_at: None })
    }

    /// Waits until something has come, and has settled. Dropping the future loses nothing.
    pub(super) async fn changed(&mut self) {
        let settled_at = match self.settled_at {
            Some(moment) => moment,
            None => self.good_news().await,
        };
        self.settled_at = Some(settled_at);
        tokio::time::sleep(clock::now().boot.until(settled_at)).await;
        while self.read().is_ok_and(|heard| heard.is_some()) {}
        self.settled_at = None;
    }

    /// Waits for the first message of a change, and tells when that will have settled.
    async fn good_news(&self) -> BootTime {
        loop {
            let heard = self.socket.async_io(Interest::READABLE, |socket| Ok(receive(socket)?));
            match heard.await {
                Ok(Heard::Good) => return clock::now().boot.plus(SETTLING),
                Ok(Heard::Other) => {}
                Err(error) => {
                    tracing::error!(%error, "the kernel's news of the network cannot be read");
                    tokio::time::sleep(AFTER_A_FAULT).await;
                }
            }
        }
    }

    /// Reads a message, if there is one.
    fn read(&self) -> io::Result<Option<Heard>> {
        match receive(self.socket.get_ref()) {
            Ok(heard) => Ok(Some(heard)),
            Err(Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a message may mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Heard {
    /// Something may be reached that could not be before.
    Good,
    /// Nothing that helps.
    Other,
}

fn receive(socket: &OwnedFd) -> rustix::io::Result<Heard> {
    // The kernel sends one message at a time here, and only its beginning counts.
    let mut message = [0; 64];
    match recv(socket, &mut message, RecvFlags::empty()) {
        Ok((_, length)) => Ok(judge(&message[..length.min(message.len())])),
        // Some were lost because they came too fast. One of them may have been good.
        Err(Errno::NOBUFS) => Ok(Heard::Good),
        Err(error) => Err(error),
    }
}

fn judge(message: &[u8]) -> Heard {
    let kind = message.get(KIND_AT..).and_then(|rest| rest.first_chunk()).copied();
    let flags = message.get(LINK_FLAGS_AT..).and_then(|rest| rest.first_chunk()).copied();
    match (kind.map(u16::from_ne_bytes), flags.map(u32::from_ne_bytes)) {
        (Some(NEW_ADDRESS | NEW_ROUTE), _) => Heard::Good,
        (Some(NEW_LINK), Some(flags)) if flags & RUNNING != 0 => Heard::Good,
        _ => Heard::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, flags: u32) -> [u8; 32] {
        let mut message = [0; 32];
        message[KIND_AT..][..2].copy_from_slice(&kind.to_ne_bytes());
        message[LINK_FLAGS_AT..][..4].copy_from_slice(&flags.to_ne_bytes());
        message
    }

    #[test]
    fn what_comes_is_good_news_and_what_goes_is_not() {
        let lost = [NEW_LINK + 1, NEW_ADDRESS + 1, NEW_ROUTE + 1];
        for (kind, flags, heard) in [
            (NEW_ADDRESS, 0, Heard::Good),
            (NEW_ROUTE, 0, Heard::Good),
            (NEW_LINK, RUNNING | 1, Heard::Good),
            (NEW_LINK, 1, Heard::Other),
            (lost[0], RUNNING, Heard::Other),
            (lost[1], 0, Heard::Other),
            (lost[2], 0, Heard::Other),
        ] {
            assert_eq!(judge(&message(kind, flags)), heard, "kind {kind}, flags {flags}");
        }
    }

    #[test]
    fn a_message_that_is_cut_off_is_no_news() {
        let whole = message(NEW_LINK, RUNNING);
        for length in 0..LINK_FLAGS_AT + 4 {
            assert_eq!(judge(&whole[..length]), Heard::Other, "{length} bytes");
        }
    }

    #[tokio::test]
    async fn a_network_that_stays_as_it_is_tells_nothing() {
        let mut network = Network::listen().unwrap();
        tokio::select! {
            biased;
            () = network.changed() => panic!("nothing has changed"),
            () = tokio::task::yield_now() => {}
        }
    }
}
