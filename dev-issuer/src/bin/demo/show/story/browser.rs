//! The demo's end of the browser: hears of each visit that the broker sent it on.

use std::env;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::show::within;

/// What the browser saw on one visit. There is no code and no state in it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The pages on the way, each in a few words.
    pub(super) steps: Vec<String>,
    /// Where it ended.
    pub(super) origin: String,
    pub(super) path: String,
    pub(super) status: u16,
    /// The last page's title.
    pub(super) title: String,
    /// What it says.
    pub(super) text: String,
    /// Why it did not get there.
    pub(super) problem: Option<String>,
}

/// Visits, in the order in which they ended.
pub(super) struct Browser {
    visits: UnboundedReceiver<anyhow::Result<Seen>>,
}

impl Browser {
    /// Puts the browser where the broker's `BROWSER` says, and listens for what it sees.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        let own = env::current_exe().context("this program does not know where it is")?;
        symlink(own, folder.join("browser")).context("the browser cannot be put in place")?;
        let listener = UnixListener::bind(folder.join("browser.sock"))
            .context("the browser would have nobody to report to")?;
        let (sender, visits) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                if sender.send(read(socket).await).is_err() {
                    return;
                }
            }
        });
        Ok(Self { visits })
    }

    /// Waits for the end of the next visit.
    pub(super) async fn visit(&mut self) -> anyhow::Result<Seen> {
        let seen = within("the browser's visit", self.visits.recv()).await?;
        let seen = seen.context("the browser is gone")??;
        match seen.problem {
            Some(problem) => bail!("the browser got stuck: {problem}"),
            None => Ok(seen),
        }
    }

    /// Says whether there was no visit since the last one that was waited for.
    pub(super) fn is_idle(&self) -> bool {
        self.visits.is_empty()
    }
}

async fn read(mut socket: UnixStream) -> anyhow::Result<Seen> {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}
