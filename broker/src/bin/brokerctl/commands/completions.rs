//! `brokerctl completions`: the script that has a shell ask this program.

use crate::args::Shell;
use crate::complete;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) fn run(shell: Shell, printer: &Printer) -> Result<(), Failure> {
    let script = String::from_utf8(complete::script(shell)?).map_err(std::io::Error::other)?;
    printer.line(script.trim_end())?;
    Ok(())
}
