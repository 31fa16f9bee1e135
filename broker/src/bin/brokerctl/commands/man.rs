//! `brokerctl man`: the manual pages of both programs, a page for each command.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_mangen::generate_to;

use crate::args::Args;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) fn run(folder: &Path, printer: &Printer) -> Result<(), Failure> {
    let written = write(folder);
    let count = written.map_err(|source| Failure::Folder { folder: folder.to_owned(), source })?;
    if printer.json() {
        let folder: PathBuf = folder.to_owned();
        printer.document(&serde_json::json!({"folder": folder, "pages": count}))?;
    }
    printer.say(&format!("{count} pages are in {}.", folder.display()));
    Ok(())
}

fn write(folder: &Path) -> std::io::Result<usize> {
    fs::create_dir_all(folder)?;
    for command in [authbroker::args::Args::command(), Args::command()] {
        generate_to(command.disable_help_subcommand(true), folder)?;
    }
    Ok(fs::read_dir(folder)?.count())
}
