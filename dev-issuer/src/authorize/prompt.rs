//! `prompt` (OpenID Connect Core §3.1.2.1): what the person must be asked, or that they must not.

use std::collections::BTreeSet;

use crate::error::OAuthError;

/// Something the person is to do even if it was done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Prompt {
    Login,
    SelectAccount,
    Consent,
}

/// The whole parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prompts {
    /// `none`: no page may be shown.
    Silent,
    /// Pages may be shown; these must be.
    Asking(BTreeSet<Prompt>),
}

impl Prompt {
    /// Every value of the parameter.
    pub(crate) const NAMES: [&str; 4] = ["none", "login", "consent", "select_account"];
}

impl Prompts {
    pub(crate) fn parse(parameter: Option<&str>) -> Result<Self, OAuthError> {
        let names: Vec<&str> = parameter.unwrap_or_default().split_ascii_whitespace().collect();
        match names.as_slice() {
            ["none"] => Ok(Self::Silent),
            names => names.iter().map(|name| one(name)).collect::<Result<_, _>>().map(Self::Asking),
        }
    }
}

fn one(name: &str) -> Result<Prompt, OAuthError> {
    match name {
        "login" => Ok(Prompt::Login),
        "consent" => Ok(Prompt::Consent),
        "select_account" => Ok(Prompt::SelectAccount),
        "none" => Err(OAuthError::invalid_request("prompt none stands alone")),
        _ => Err(OAuthError::invalid_request("this prompt value is unknown")),
    }
}
