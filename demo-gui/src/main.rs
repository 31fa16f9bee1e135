//! Reads the command line, and opens the window or the terminal mode.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use demo_gui::args::Args;
use demo_gui::{agent, app, terminal};
use tokio::io::BufReader;

fn main() -> ExitCode {
    let args = Args::parse();
    let (ended, hint) = if args.agent {
        (in_dialog(args), "set DISPLAY or WAYLAND_DISPLAY, or run brokerctl agent")
    } else if args.terminal {
        (in_terminal(args), "demo-gui --help")
    } else {
        (in_window(args), "set DISPLAY or WAYLAND_DISPLAY, or run demo-gui --terminal")
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "demo-gui: {error}\nhint: {hint}");
            ExitCode::FAILURE
        }
    }
}

fn in_dialog(args: Args) -> Result<(), Box<dyn Error>> {
    agent::open(args.runtime_dir, args.theme).map_err(without_display)
}

fn in_window(args: Args) -> Result<(), Box<dyn Error>> {
    app::open(args).map_err(without_display)
}

fn without_display(error: eframe::Error) -> Box<dyn Error> {
    match error {
        // Its own words name a line of winit's source.
        eframe::Error::WinitEventLoop(_) => "no display can be reached".into(),
        error => error.into(),
    }
}

fn in_terminal(args: Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let settings = args.settings();
    let input = BufReader::new(tokio::io::stdin());
    let ended = runtime.block_on(terminal::run(settings, args.account, input, tokio::io::stdout()));
    // The thread that reads stdin cannot be interrupted; it need not be waited for.
    runtime.shutdown_background();
    Ok(ended?)
}
