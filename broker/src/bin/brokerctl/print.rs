//! Output: data on stdout, everything for people on stderr, colours and tables on terminals only.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::ProgressBar;
use serde::Serialize;

use crate::failure::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// Something that turns while a person waits, and leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// How this run speaks.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
}

impl Printer {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether the answer is to be JSON.
    pub(crate) const fn json(&self) -> bool {
        self.json
    }

    /// Whether a person reads along at a terminal.
    pub(crate) fn on_terminal(&self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// One line of data.
    #[expect(clippy::unused_self, reason = "all output goes through the printer")]
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// One JSON document on a line of its own.
    pub(crate) fn document(&self, value: &impl Serialize) -> io::Result<()> {
        self.line(&serde_json::to_string(value)?)
    }

    /// Shows a person that something takes its time, until what this gives is dropped. Only where a
    /// person sits at a terminal.
    pub(crate) fn wait(&self, text: &'static str) -> Spinner {
        if !self.on_terminal() {
            return Spinner(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(text);
        bar.enable_steady_tick(TICK);
        Spinner(bar)
    }

    /// A sentence for a person. In JSON mode nobody reads along.
    pub(crate) fn say(&self, text: &str) {
        if !self.json {
            let _closed = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// A table: columns on a terminal, tabs between cells elsewhere.
    pub(crate) fn table(&self, head: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        if !io::stdout().is_terminal() {
            return rows.iter().try_for_each(|row| self.line(&row.join("\t")));
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(head).add_rows(rows);
        if let Some((width, _)) = terminal_size::terminal_size_of(io::stdout()) {
            table.set_width(width.0);
        }
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 2));
        });
        self.line(&table.trim_fmt())
    }

    /// A failure: what happened, and what helps.
    pub(crate) fn failure(&self, failure: &Failure) {
        let (message, hint) = (failure.message(), failure.hint());
        let mut err = anstream::stderr();
        let _closed = if self.json {
            let document =
                serde_json::json!({"error": failure.name(), "message": message, "hint": hint});
            writeln!(err, "{document}")
        } else {
            writeln!(err, "{ERROR}brokerctl:{ERROR:#} {message}\n{HINT}hint:{HINT:#} {hint}")
        };
    }
}
