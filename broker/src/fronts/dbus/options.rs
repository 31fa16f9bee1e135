//! Options `a{sv}`, read into the words of the wire. An unknown option is an error: a misspelt
//! `min_ttl` should not be a token that expires on its way.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use authbroker_client::wire::broker1 as wire;
use authbroker_core::failure::{Code, Failure};
use zbus::{OwnedVariant, Variant};

/// The option by which a program asks for the parts of an error (`error`). Every method that takes
/// options takes this one.
pub(super) const ERROR_DETAILS: &str = "error_details";

/// The option by which a program names a request in its own words.
pub(super) const CORRELATION_ID: &str = "correlation_id";

/// Options as they come.
pub(super) type Options = HashMap<String, OwnedVariant>;

/// Takes options out one by one, and in the end tells whether one was left over.
pub(super) struct Reader(Options);

impl Reader {
    pub(super) fn new(options: Options) -> Self {
        Self(options)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        self.take(name, "a string (s)", |value| String::try_from(value).ok())
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        let read = |value| Vec::<String>::try_from(value).ok();
        Ok(self.take(name, "a list of strings (as)", read)?.unwrap_or_default())
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<u32>, Failure> {
        self.take(name, "a number (u)", |value| match &*value {
            Variant::U32(number) => Some(*number),
            // What busctl and Python send for a small number without thinking.
            Variant::I32(number) => u32::try_from(*number).ok(),
            _ => None,
        })
    }

    pub(super) fn truth(&mut self, name: &str) -> Result<Option<bool>, Failure> {
        self.take(name, "a truth value (b)", |value| bool::try_from(value).ok())
    }

    /// A file descriptor, which is ours from here on.
    pub(super) fn descriptor(&mut self, name: &str) -> Result<Option<OwnedFd>, Failure> {
        self.take(name, "a file descriptor (h)", |value| match value.into() {
            Variant::Fd(descriptor) => descriptor.try_into().ok(),
            _ => None,
        })
    }

    /// Fails if an option was not understood.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.truth(ERROR_DETAILS)?;
        match self.0.into_keys().min() {
            None => Ok(()),
            Some(name) => Err(wrong(&format!("there is no option {name:?}"))),
        }
    }

    fn take<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl FnOnce(OwnedVariant) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| wrong(&format!("the option {name:?} must be {kind}")))
    }
}

fn wrong(message: &str) -> Failure {
    Failure::new(
        Code::InvalidArgs,
        message,
        "gdbus introspect --session --dest org.authbroker.Broker1 --object-path /org/authbroker/Broker1",
    )
}

/// The request, and where the caller wants its answer.
pub(super) fn get_token(
    account: String,
    options: Options,
) -> Result<(wire::GetToken, Option<OwnedFd>), Failure> {
    let mut reader = Reader::new(options);
    let request = wire::GetToken {
        account,
        resource: reader.texts("resource")?,
        scopes: reader.texts("scopes")?,
        min_ttl: reader.number("min_ttl")?,
        force: reader.truth("force")?,
        max_age: reader.number("max_age")?,
        acr_values: reader.texts("acr_values")?,
        token_type: reader.text("token_type")?,
        timeout: reader.number("timeout")?,
        correlation_id: reader.text(CORRELATION_ID)?,
    };
    let sink = reader.descriptor("sink")?;
    reader.finish()?;
    Ok((request, sink))
}

/// The request, and where the caller wants its answer.
pub(super) fn get_headers(
    account: String,
    method: String,
    uri: String,
    options: Options,
) -> Result<(wire::GetHeaders, Option<OwnedFd>), Failure> {
    let mut reader = Reader::new(options);
    let request = wire::GetHeaders {
        account,
        method,
        uri,
        resource: reader.texts("resource")?,
        scopes: reader.texts("scopes")?,
        min_ttl: reader.number("min_ttl")?,
        force: reader.truth("force")?,
        max_age: reader.number("max_age")?,
        acr_values: reader.texts("acr_values")?,
        token_type: reader.text("token_type")?,
        timeout: reader.number("timeout")?,
        correlation_id: reader.text(CORRELATION_ID)?,
    };
    let sink = reader.descriptor("sink")?;
    reader.finish()?;
    Ok((request, sink))
}

pub(super) fn report_challenge(
    account: String,
    uri: String,
    status: u32,
    www_authenticate: Vec<String>,
    options: Options,
) -> Result<wire::ReportChallenge, Failure> {
    let mut reader = Reader::new(options);
    let request = wire::ReportChallenge {
        account,
        uri,
        status,
        www_authenticate,
        resource: reader.texts("resource")?,
        scopes: reader.texts("scopes")?,
        token_type: reader.text("token_type")?,
        dpop_nonce: reader.text("dpop_nonce")?,
        ath: reader.text("ath")?,
        correlation_id: reader.text(CORRELATION_ID)?,
    };
    reader.finish()?;
    Ok(request)
}

/// The request, and the word that its object's path ends with.
pub(super) fn acquire(
    account: String,
    options: Options,
) -> Result<(wire::Acquire, Handling), Failure> {
    let mut reader = Reader::new(options);
    let request = wire::Acquire {
        account,
        resource: reader.texts("resource")?,
        scopes: reader.texts("scopes")?,
        prompt: reader.text("prompt")?,
        acr_values: reader.texts("acr_values")?,
        max_age: reader.number("max_age")?,
        token_type: reader.text("token_type")?,
        login_hint: reader.text("login_hint")?,
        open: reader.truth("open")?,
        timeout: reader.number("timeout")?,
        correlation_id: reader.text(CORRELATION_ID)?,
    };
    let handling = handling(&mut reader, request.correlation_id.clone())?;
    reader.finish()?;
    Ok((request, handling))
}

pub(super) fn sign_out(
    account: String,
    options: Options,
) -> Result<(wire::SignOut, Handling), Failure> {
    let mut reader = Reader::new(options);
    let request = wire::SignOut {
        account,
        local: reader.truth("local")?,
        correlation_id: reader.text(CORRELATION_ID)?,
    };
    let handling = handling(&mut reader, request.correlation_id.clone())?;
    reader.finish()?;
    Ok((request, handling))
}

/// How a request object is to be handled.
#[derive(Debug, Clone, Default)]
pub(super) struct Handling {
    /// The last word of its path.
    pub(super) token: Option<String>,
    /// Whether it outlives its sender.
    pub(super) life: Life,
    /// The caller's own word for it, for the signal that ends it.
    pub(super) correlation_id: Option<String>,
}

/// How long a request lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Life {
    /// As long as its sender.
    #[default]
    WithSender,
    /// Until it is done: for callers that leave at once, such as `busctl`.
    Detached,
}

fn handling(reader: &mut Reader, correlation_id: Option<String>) -> Result<Handling, Failure> {
    let token = reader.text("handle_token")?;
    let plain = |token: &String| {
        !token.is_empty()
            && token.len() <= 64
            && token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if token.as_ref().is_some_and(|token| !plain(token)) {
        return Err(wrong(
            "the option \"handle_token\" must be 1 to 64 letters, digits and underscores",
        ));
    }
    let life =
        if reader.truth("detach")? == Some(true) { Life::Detached } else { Life::WithSender };
    Ok(Handling { token, life, correlation_id })
}
