//! Minted sockets: each in a folder of its own, `RUNTIME/sockets/NAME`, that can be mounted into a
//! container. The folder stays while the broker restarts, and so does what is mounted; the socket in
//! it is made anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use authbroker_client::wire::frame::Reply;
use authbroker_client::wire::{places, sockets as wire};
use authbroker_core::failure::{Code, Failure};
use authbroker_core::minting::{Minting, SocketName, UnitName};
use authbroker_core::request::AccountRef;
use authbroker_core::time::UnixTime;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::router::{Parameters, Router, bad, good, read};
use super::{Services, Socket, serve};
use crate::broker::minted::{Held, Order};
use crate::fronts::translate;
use crate::platform;

/// Opens the sockets that were minted before the broker started. One that cannot be opened is named
/// in the log, and the others are.
pub fn open_all(services: &Services, stop: &CancellationToken, tasks: &TaskTracker) {
    let all = services.broker.minted_sockets();
    clear(&folder(services), &all);
    for held in all {
        let name = held.minting.name.clone();
        if let Err(error) = open(services, held, stop, tasks) {
            tracing::error!(%name, "a minted socket cannot be opened: {error}");
        }
    }
}

/// Opens one, and serves it until it is good no more. Then every connection on it is ended, too.
fn open(
    services: &Services,
    held: Held,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> io::Result<()> {
    let path = path_of(services, &held.minting.name);
    platform::private_folder(&folder(services))?;
    platform::private_folder(path.parent().unwrap_or(Path::new("/")))?;
    let socket = Socket::minted(&path, Arc::clone(&held.minting))?;
    let (services, tasks, stop) = (services.clone(), tasks.clone(), stop.child_token());
    tokio::spawn(async move {
        let broker = services.broker.clone();
        let serving = serve(socket, services, stop.clone(), tasks);
        tokio::select! {
            () = serving => {}
            () = broker.minting_ended(&held) => {
                stop.cancel();
                forget(&path);
            }
        }
    });
    Ok(())
}

fn folder(services: &Services) -> PathBuf {
    services.facts.socket.with_file_name("sockets")
}

fn path_of(services: &Services, name: &SocketName) -> PathBuf {
    folder(services).join(name.as_str()).join(places::APP_SOCKET)
}

/// Removes what was left of sockets that have ended while no broker ran.
fn clear(folder: &Path, good: &[Held]) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        if !good.iter().any(|held| name == held.minting.name.as_str()) {
            forget(&entry.path().join(places::APP_SOCKET));
        }
    }
}

fn forget(path: &Path) {
    let _gone = fs::remove_file(path);
    let _gone = path.parent().map(fs::remove_dir);
}

impl Router {
    pub(super) async fn mint_socket(&self, parameters: Parameters<'_>) -> Reply {
        let order = match read(parameters).and_then(order) {
            Ok(order) => order,
            Err(failure) => return bad(&failure, None),
        };
        let held = match self.services.broker.mint(&self.caller, order).await {
            Ok(held) => held,
            Err(failure) => return bad(&failure, None),
        };
        let answer = self.told(&held.minting);
        let name = held.minting.name.clone();
        if let Err(error) = open(&self.services, held, &self.stop, &self.tasks) {
            let _closed = self.services.broker.close_socket(&self.caller, name).await;
            let message = format!("{} cannot be opened: {error}", answer.path);
            return bad(&Failure::new(Code::Internal, message, "brokerctl doctor"), None);
        }
        good(&answer, false)
    }

    pub(super) fn list_sockets(&self) -> Reply {
        let all = self.services.broker.minted_sockets();
        let sockets = all.iter().map(|held| self.told(&held.minting)).collect();
        good(&wire::Sockets { sockets }, false)
    }

    pub(super) async fn close_socket(&self, parameters: Parameters<'_>) -> Reply {
        let name = read(parameters).and_then(|wire: wire::CloseSocket| name(&wire.name));
        let closed = match name {
            Ok(name) => self.services.broker.close_socket(&self.caller, name).await,
            Err(failure) => Err(failure),
        };
        match closed {
            Ok(()) => good(&json!({}), false),
            Err(failure) => bad(&failure, None),
        }
    }

    fn told(&self, minting: &Minting) -> wire::Socket {
        wire::Socket {
            name: minting.name.to_string(),
            path: path_of(&self.services, &minting.name).display().to_string(),
            account: minting.account.to_string(),
            resource: minting.resources.iter().map(ToString::to_string).collect(),
            scopes: minting.scopes.to_words(),
            unit: minting.unit.as_ref().map(ToString::to_string),
            created: minting.created.as_secs(),
            expires_at: minting.expires.map(UnixTime::as_secs),
        }
    }
}

fn order(wire: wire::MintSocket) -> Result<Order, Failure> {
    Ok(Order {
        name: name(&wire.name)?,
        account: AccountRef::new(wire.account),
        resources: translate::resources(&wire.resource)?,
        scopes: translate::scopes(&wire.scopes)?,
        unit: wire.unit.as_deref().map(unit).transpose()?,
        lifetime: wire.lifetime.map(translate::seconds),
    })
}

fn name(text: &str) -> Result<SocketName, Failure> {
    SocketName::parse(text).map_err(wrong)
}

fn unit(text: &str) -> Result<UnitName, Failure> {
    UnitName::parse(text).map_err(wrong)
}

fn wrong(error: impl std::error::Error) -> Failure {
    Failure::new(Code::InvalidArgs, error.to_string(), "brokerctl socket create --help")
}
