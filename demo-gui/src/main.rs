//! Reads the command line, and runs the terminal mode.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use demo_gui::args::Args;
use demo_gui::terminal;
use tokio::io::BufReader;

fn main() -> ExitCode {
    match in_terminal(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "demo-gui: {error}\nhint: demo-gui --help");
            ExitCode::FAILURE
        }
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
