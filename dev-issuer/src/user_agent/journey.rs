//! The person in front of the browser: fills in the forms of one sign-in.

use super::{Consent, Page, UserAgentError, html};
use crate::user_agent::html::Form;

/// One sign-in: what the person knows and wants, and what they have seen.
pub(super) struct Journey<'a> {
    username: &'a str,
    password: &'a str,
    consent: Consent,
    next_sign_in: SignIn,
    /// The pages so far, each in a few words.
    pub(super) steps: Vec<String>,
}

/// What it means to meet the sign-in page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SignIn {
    /// It has not been seen before.
    First,
    /// It comes back: the password was wrong.
    Again,
}

impl<'a> Journey<'a> {
    pub(super) fn new(username: &'a str, password: &'a str, consent: Consent) -> Self {
        let steps = Vec::new();
        Self { username, password, consent, next_sign_in: SignIn::First, steps }
    }

    /// The page's form as the person sends it; nothing where there is none of a sign-in.
    pub(super) fn filled_in(&mut self, page: &Page) -> Result<Option<Form>, UserAgentError> {
        let Some(mut form) = html::form(&page.body) else { return Ok(None) };
        let step = match form.action.as_str() {
            "/sign-in" => self.sign_in(&mut form, page)?,
            "/choose" => self.choose(&mut form, page),
            "/consent" => self.consent(&mut form),
            _ => return Ok(None),
        };
        self.steps.push(step.to_owned());
        Ok(Some(form))
    }

    fn sign_in(&mut self, form: &mut Form, page: &Page) -> Result<&'static str, UserAgentError> {
        if self.next_sign_in == SignIn::Again {
            return Err(UserAgentError::WrongPassword { text: html::alert(&page.body) });
        }
        self.next_sign_in = SignIn::Again;
        form.set("username", self.username);
        form.set("password", self.password);
        form.set("decision", "sign-in");
        Ok("sign-in page of Dev Issuer")
    }

    /// Stays with the account that is signed in if it is the wanted one.
    fn choose(&self, form: &mut Form, page: &Page) -> &'static str {
        let wanted = html::text(&page.body).contains(&format!(" {}@", self.username));
        form.set("decision", if wanted { "stay" } else { "another" });
        "choice of an account"
    }

    fn consent(&self, form: &mut Form) -> &'static str {
        let decision = match self.consent {
            Consent::Allow => "allow",
            Consent::Deny => "deny",
        };
        form.set("decision", decision);
        "consent page"
    }
}
