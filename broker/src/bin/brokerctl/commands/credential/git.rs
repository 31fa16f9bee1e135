//! Git's protocol (gitcredentials(7), git-credential(1)): lines of `key=value` both ways.
//!
//! Git asks its helpers in turn and at last the person. A host that is not ours is passed over in
//! silence. At one that is, no password would help where no token can be had: git is told to stop.

use authbroker::config::{CredentialSettings, Scheme};
use authbroker_client::AccessToken;

use super::{client, credentials, expires_at, input, refused, token};
use crate::args::Place;
use crate::failure::Failure;
use crate::print::Printer;

pub(super) async fn run(place: &Place, operation: &str, printer: &Printer) -> Result<(), Failure> {
    let asked = Asked::read(&input().await?);
    let credentials = credentials(place)?;
    let Some(settings) = credentials.of(&asked.address()).filter(|ours| asked.is_for(ours)) else {
        return Ok(());
    };
    match operation {
        "get" => give(place, settings, &asked, printer).await,
        "erase" => match &asked.secret {
            Some(secret) => refused(place, settings, secret).await,
            None => Ok(()),
        },
        // To store, and whatever later versions of git may ask.
        _ => Ok(()),
    }
}

async fn give(
    place: &Place,
    settings: &CredentialSettings,
    asked: &Asked,
    printer: &Printer,
) -> Result<(), Failure> {
    let token = match client(place).await {
        Ok(broker) => token(&broker, settings).await,
        Err(error) => Err(error.into()),
    };
    match token {
        Ok(token) => Ok(printer.line(&answer(settings, asked, &token))?),
        Err(failure) => {
            printer.line("quit=1")?;
            Err(failure)
        }
    }
}

fn answer(settings: &CredentialSettings, asked: &Asked, token: &AccessToken) -> String {
    let secret = token.expose();
    let given = if settings.scheme == Scheme::Bearer && asked.knows_schemes {
        format!("capability[]=authtype\nauthtype=Bearer\ncredential={secret}\nephemeral=1")
    } else {
        format!("username={}\npassword={secret}", settings.username)
    };
    format!("{given}\npassword_expiry_utc={}", expires_at(token))
}

/// What git says.
#[derive(Debug, Default)]
struct Asked {
    protocol: String,
    host: String,
    username: Option<String>,
    /// What is to be erased: the password, or the token.
    secret: Option<String>,
    /// Whether it can present a token in another way than as a password.
    knows_schemes: bool,
}

impl Asked {
    fn read(text: &str) -> Self {
        let mut asked = Self::default();
        let lines = text.lines().take_while(|line| !line.is_empty());
        for (key, value) in lines.filter_map(|line| line.split_once('=')) {
            match key {
                "protocol" => value.clone_into(&mut asked.protocol),
                "host" => value.clone_into(&mut asked.host),
                "username" => asked.username = Some(value.to_owned()),
                "password" | "credential" => asked.secret = Some(value.to_owned()),
                "capability[]" => asked.knows_schemes |= value == "authtype",
                _ => {}
            }
        }
        asked
    }

    fn address(&self) -> String {
        format!("{}://{}", self.protocol, self.host)
    }

    /// Whether it is content with the configured name: an address may have one of its own.
    fn is_for(&self, settings: &CredentialSettings) -> bool {
        self.username.as_ref().is_none_or(|name| *name == settings.username)
    }
}
