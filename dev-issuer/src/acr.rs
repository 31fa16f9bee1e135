//! Authentication context classes: how sure this provider is of who signed in.

/// How a person has proven to be who they are, from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acr {
    /// With a password.
    Password,
    /// With a password and the account's code besides.
    TwoFactor,
}

impl Acr {
    /// Every class, the weakest first.
    pub const ALL: [Self; 2] = [Self::Password, Self::TwoFactor];

    /// The value of the `acr` claim.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "urn:dev-issuer:password",
            Self::TwoFactor => "urn:dev-issuer:two-factor",
        }
    }

    /// The first class that is known among the `acr_values` of a request, the preferred one first.
    pub(crate) fn first_known(acr_values: &str) -> Option<Self> {
        acr_values
            .split_ascii_whitespace()
            .find_map(|value| Self::ALL.into_iter().find(|acr| acr.name() == value))
    }
}
