//! Passphrases: typed without an echo, or read from standard input where that is no terminal.

use std::io::{self, BufRead as _, IsTerminal as _};

use authbroker_client::wire::SecretText;

use crate::failure::Failure;

/// Asks for a passphrase.
pub(crate) async fn ask(prompt: &'static str) -> Result<SecretText, Failure> {
    // On a thread of its own: a person may take their time.
    let read = tokio::task::spawn_blocking(move || read(prompt)).await;
    let text = read.unwrap_or_else(|error| Err(io::Error::other(error)));
    text.map(SecretText::from).map_err(Failure::Input)
}

/// Asks for a new passphrase. On a terminal it is asked for twice: nobody saw what was typed.
pub(crate) async fn choose(prompt: &'static str) -> Result<SecretText, Failure> {
    let first = ask(prompt).await?;
    if first.expose().is_empty() {
        return Err(Failure::Use("an empty passphrase protects nothing"));
    }
    if io::stdin().is_terminal() && ask("Again: ").await?.expose() != first.expose() {
        return Err(Failure::Use("the two passphrases differ"));
    }
    Ok(first)
}

fn read(prompt: &str) -> io::Result<String> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt);
    }
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let length = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(length);
    Ok(line)
}
