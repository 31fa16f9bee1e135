//! The words on the terminal: at most 100 columns, coloured only where someone sees colours.

use std::io::{self, IsTerminal as _, Stdout, Write as _};
use std::time::{Duration, SystemTime};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};

const WIDTH: usize = 100;
const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const SOFT: Style = Style::new().dimmed();

/// Where the lines of a step begin.
const INDENT: usize = 4;

/// Tells what happens, on stdout. A reader who goes away does not stop the demo.
pub(super) struct Narrator {
    out: AutoStream<Stdout>,
    place: Place,
    steps: usize,
}

/// Where the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the beginning of a line.
    Line,
    /// In a line that says what is being waited for.
    Waiting,
}

impl Narrator {
    pub(super) fn new() -> Self {
        Self { out: anstream::stdout(), place: Place::Line, steps: 0 }
    }

    pub(super) fn title(&mut self, text: &str) {
        self.put(&format!("{BOLD}{text}{BOLD:#}\n"));
    }

    pub(super) fn line(&mut self, text: &str) {
        self.put(&format!("{text}\n"));
    }

    /// Names something that takes a moment. [`Narrator::ready`] completes the line.
    pub(super) fn starting(&mut self, name: &str) {
        self.put(&format!("  {SOFT}{name:<9}{SOFT:#}"));
        self.place = Place::Waiting;
    }

    pub(super) fn ready(&mut self, text: &str) {
        self.put(&format!("{}\n", wrapped(text, 11)));
        self.place = Place::Line;
    }

    /// Begins the next step of the story.
    pub(super) fn step(&mut self, title: &str) {
        self.steps += 1;
        let number = self.steps;
        self.put(&format!("\n{BOLD}{number:>2}  {title}{BOLD:#}\n"));
    }

    /// How many steps there were.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// Something that was checked and is so.
    pub(super) fn check(&mut self, text: &str) {
        self.put(&format!("    {GOOD}✓{GOOD:#} {}\n", wrapped(text, INDENT + 2)));
    }

    /// A name and its value.
    pub(super) fn fact(&mut self, name: &str, value: &str) {
        self.put(&format!("      {SOFT}{name:<10}{SOFT:#}{}\n", wrapped(value, INDENT + 12)));
    }

    /// Waits until `moment`, and shows how long that still takes where a line can be rewritten.
    pub(super) async fn wait_until(&mut self, moment: SystemTime, what: &str) {
        let left = || moment.duration_since(SystemTime::now()).unwrap_or_default();
        if !io::stdout().is_terminal() {
            self.put(&format!("    … {what}, in {} s\n", whole_seconds(left())));
            return tokio::time::sleep(left()).await;
        }
        self.place = Place::Waiting;
        while !left().is_zero() {
            self.put(&format!("\r    … {what}, in {} s ", whole_seconds(left())));
            tokio::time::sleep(left().min(Duration::from_millis(200))).await;
        }
        self.put(&format!("\r{:WIDTH$}\r", ""));
        self.place = Place::Line;
    }

    /// Ends a line that was left open by a failure.
    pub(super) fn break_off(&mut self) {
        if self.place == Place::Waiting {
            self.ready("");
        }
    }

    fn put(&mut self, text: &str) {
        let _nobody_reads = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// Rounded up: "in 0 s" would be no time at all.
fn whole_seconds(left: Duration) -> u64 {
    left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

/// Breaks lines between words; all but the first begin at column `indent`.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_keep_their_indent() {
        let text = wrapped(&"word ".repeat(30), 10);
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.len() <= WIDTH));
        assert!(text.lines().skip(1).all(|line| line.starts_with("          word")));
    }

    #[test]
    fn a_word_longer_than_a_line_stays_whole() {
        let word = "x".repeat(2 * WIDTH);
        assert_eq!(wrapped(&word, 4), word);
    }

    #[test]
    fn what_is_left_is_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(5)), 5);
    }
}
