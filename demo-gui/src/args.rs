//! The command line.

use std::path::PathBuf;

use authbroker_client::Door;
use clap::{Parser, ValueEnum};
use url::Url;

use crate::http;
use crate::messages::Settings;

/// A small desktop app that uses authbroker: sign in once, and get the private message.
#[derive(Debug, Parser)]
#[command(name = "demo-gui", version)]
pub struct Args {
    /// The window's title, to tell two windows apart
    #[arg(long, value_name = "NAME", default_value = "authbroker demo")]
    pub title: String,

    /// The API that has the private message
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000",
          value_parser = http::parse)]
    pub api: Url,

    /// What the API is called in a token request; left out, the provider's first resource
    #[arg(long, value_name = "URI")]
    pub resource: Option<String>,

    /// The account to show: its id, its provider or its username; left out, the first
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,

    /// Speak to the broker at this socket, and no other
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,

    /// Speak to the broker on the session bus
    #[cfg(target_os = "linux")]
    #[arg(long, conflicts_with = "socket")]
    pub bus: bool,

    /// Colours of the window
    #[arg(long, value_enum, default_value_t)]
    pub theme: Theme,

    /// A dialog instead: a person answers in it what apps ask for
    #[arg(long, conflicts_with_all = ["terminal", "account", "resource"])]
    pub agent: bool,

    /// Where the broker's sockets are, for the dialog
    #[arg(long, value_name = "DIR", env = "AUTHBROKER_RUNTIME_DIR", hide_env_values = true)]
    pub runtime_dir: Option<PathBuf>,

    /// No window: commands on stdin, one JSON object a line on stdout
    #[arg(long)]
    pub terminal: bool,
}

/// The colours of the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// As the desktop says; light where it says nothing
    #[default]
    System,
    /// Dark on light
    Light,
    /// Light on dark
    Dark,
}

impl Args {
    /// Whom to ask.
    pub fn settings(&self) -> Settings {
        Settings { door: self.door(), api: self.api.clone(), resource: self.resource.clone() }
    }

    fn door(&self) -> Door {
        #[cfg(target_os = "linux")]
        if self.bus {
            return Door::SessionBus;
        }
        self.socket.clone().map_or(Door::Any, Door::Socket)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_socket_and_the_bus_exclude_each_other() {
        assert!(Args::try_parse_from(["demo-gui", "--socket", "s", "--bus"]).is_err());
    }

    #[test]
    fn the_door_is_the_one_that_was_named() {
        let door = |args: &[&str]| Args::try_parse_from(args).unwrap().settings().door;
        assert!(matches!(door(&["demo-gui"]), Door::Any));
        assert!(matches!(door(&["demo-gui", "--socket", "s"]), Door::Socket(_)));
    }
}
