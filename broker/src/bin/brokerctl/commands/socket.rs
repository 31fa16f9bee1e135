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
    let Create { name, account, resources, scopes, unit, expires } = order;
    let order = MintSocket { name, account, resource: resources, scopes, unit, lifetime: expires };
    let socket = admin(place).await?.mint_socket(&order).await?;
    if printer.json() {
        printer.document(&socket)?;
        return Ok(());
    }
    printer.say(&how_to_use(&socket));
    printer.line(&socket.path)?;
    Ok(())
}

fn how_to_use(socket: &Socket) -> String {
    match &socket.unit {
        Some(unit) => format!(
            "{unit} gets a token of {} when it starts, with this in its [Service]: \
             LoadCredential=token:{}",
            socket.account, socket.path
        ),
        None => format!(
            "Whoever can open it gets tokens of {}. Mount its folder into a container, or forward \
             it, and set AUTHBROKER_SOCKET there.",
            socket.account
        ),
    }
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
    let titles = ["NAME", "ACCOUNT", "RESOURCES", "SCOPES", "UNIT", "MADE", "ENDS", "SOCKET"];
    printer.table(&titles, &rows)?;
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
        socket.unit.unwrap_or_else(|| "-".to_owned()),
        local_time(socket.created),
        socket.expires_at.map_or_else(|| "-".to_owned(), local_time),
        socket.path,
    ]
}
