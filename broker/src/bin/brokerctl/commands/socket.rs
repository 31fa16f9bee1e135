//! `brokerctl socket`: sockets for containers and remote shells.

use authbroker_client::wire::sockets::{MintSocket, Socket};

use super::{admin, local_time};
use crate::args::{Create, Place, SocketCommand};
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) async fn run(
    place: &Place,
    command: SocketCommand,
    printer: &Printer,
) -> Result<(), Failure> {
    match command {
        SocketCommand::Create(order) => create(place, order, printer).await,
        SocketCommand::List => list(place, printer).await,
        SocketCommand::Close { name } => {
            admin(place).await?.close_socket(&name).await?;
            printer.say("It is closed, and nobody is served by it any more.");
            Ok(())
        }
    }
}

/// Prints where the new socket is, alone.
async fn create(place: &Place, order: Create, printer: &Printer) -> Result<(), Failure> {
    let Create { name, account, resources, scopes, expires } = order;
    let order = MintSocket { name, account, resource: resources, scopes, lifetime: expires };
    let socket = admin(place).await?.mint_socket(&order).await?;
    if printer.json() {
        printer.document(&socket)?;
        return Ok(());
    }
    printer.say(&format!(
        "Whoever can open it gets tokens of {}. Mount its folder into a container, or forward it, \
         and set AUTHBROKER_SOCKET there.",
        socket.account
    ));
    printer.line(&socket.path)?;
    Ok(())
}

async fn list(place: &Place, printer: &Printer) -> Result<(), Failure> {
    let sockets = admin(place).await?.sockets().await?;
    if printer.json() {
        printer.document(&sockets)?;
        return Ok(());
    }
    if sockets.is_empty() {
        printer.say("There are none. Make one with: brokerctl socket create NAME");
        return Ok(());
    }
    let rows: Vec<_> = sockets.into_iter().map(row).collect();
    printer.table(&["NAME", "ACCOUNT", "RESOURCES", "SCOPES", "MADE", "ENDS", "SOCKET"], &rows)?;
    Ok(())
}

fn row(socket: Socket) -> Vec<String> {
    let words = |words: Vec<String>, none: &str| {
        if words.is_empty() { none.to_owned() } else { words.join(" ") }
    };
    vec![
        socket.name,
        socket.account,
        words(socket.resource, "-"),
        words(socket.scopes, "all"),
        local_time(socket.created),
        socket.expires_at.map_or_else(|| "-".to_owned(), local_time),
        socket.path,
    ]
}
