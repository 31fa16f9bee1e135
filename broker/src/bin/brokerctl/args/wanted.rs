//! Which token a command is about.

use authbroker_client::TokenRequest;
use clap_complete::ArgValueCandidates;

use crate::complete;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Wanted {
    /// The account: its id, its provider, or its username
    #[arg(add = ArgValueCandidates::new(complete::accounts))]
    pub(crate) account: Option<String>,
    /// An API that the token is for
    #[arg(long = "resource", value_name = "R")]
    pub(crate) resources: Vec<String>,
    /// A scope that the token must have
    #[arg(long = "scope", value_name = "S")]
    pub(crate) scopes: Vec<String>,
}

impl Wanted {
    /// The request for it.
    pub(crate) fn request(self) -> TokenRequest {
        let request = TokenRequest::new().account(self.account.unwrap_or_default());
        let request = self.resources.into_iter().fold(request, TokenRequest::resource);
        self.scopes.into_iter().fold(request, TokenRequest::scope)
    }
}
