//! The three people who can sign in here.

use crate::secret;

/// A test account. Nothing about it is secret: the pages print the password and the code.
#[derive(Debug, PartialEq, Eq)]
pub struct Account {
    /// What is typed at the sign-in page.
    pub username: &'static str,
    /// What is typed below it.
    pub password: &'static str,
    /// What is typed after that where a password is not enough: [`crate::Acr::TwoFactor`].
    pub second_factor: &'static str,
    /// The `sub` claim: opaque, the same in every run.
    pub subject: &'static str,
    /// The `name` claim.
    pub name: &'static str,
    /// The `email` claim.
    pub email: &'static str,
    /// The colour of the account's picture, as red, green, blue.
    pub(crate) colour: [u8; 3],
}

/// Every account, in the order the sign-in page lists them.
pub static ACCOUNTS: [Account; 3] = [
    Account {
        username: "alice",
        password: "wonderland",
        second_factor: "314159",
        subject: "u-7c1f4be09d3a",
        name: "Alice Adams",
        email: "alice@example.com",
        colour: [0x5b, 0x5b, 0xd6],
    },
    Account {
        username: "bob",
        password: "builder",
        second_factor: "271828",
        subject: "u-e2906a5d81c7",
        name: "Bob Brown",
        email: "bob@example.com",
        colour: [0xd9, 0x6c, 0x2c],
    },
    Account {
        username: "carol",
        password: "singer",
        second_factor: "161803",
        subject: "u-35ab88f7420e",
        name: "Carol Clark",
        email: "carol@example.com",
        colour: [0x1f, 0x93, 0x7d],
    },
];

impl Account {
    /// Finds the account that signs in with these two.
    pub(crate) fn sign_in(username: &str, password: &str) -> Option<&'static Self> {
        let account = Self::named(username)?;
        secret::same(account.password, password).then_some(account)
    }

    pub(crate) fn named(username: &str) -> Option<&'static Self> {
        ACCOUNTS.iter().find(|account| account.username == username)
    }

    /// Where the picture is, below the issuer's URL.
    pub(crate) fn picture_path(&self) -> String {
        format!("/pictures/{}.png", self.username)
    }
}
