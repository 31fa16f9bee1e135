//! The person in front of the browser: fills in the forms of one sign-in.

use super::{Consent, Page, UserAgentError, html};
use crate::user_agent::html::Form;

/// One sign-in: what the person knows and wants, and what they have seen.
pub(super) struct Journey<'a> {
    username: &'a str,
    password: &'a str,
    consent: Consent,
    /// What a device shows.
    user_code: &'a str,
    next_sign_in: Meeting,
    next_code_entry: Meeting,
    /// The pages so far, each in a few words.
    pub(super) steps: Vec<String>,
}

/// What it means to meet a page that asks for something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meeting {
    /// It has not been seen before.
    First,
    /// It comes back: what was typed is wrong.
    Again,
}

impl<'a> Journey<'a> {
    pub(super) fn new(username: &'a str, password: &'a str, consent: Consent) -> Self {
        let (next_sign_in, next_code_entry) = (Meeting::First, Meeting::First);
        let (user_code, steps) = ("", Vec::new());
        Self { username, password, consent, user_code, next_sign_in, next_code_entry, steps }
    }

    /// The same by a person who holds a device that shows this code.
    pub(super) fn for_device(self, user_code: &'a str) -> Self {
        Self { user_code, ..self }
    }

    /// The page's form as the person sends it; nothing where there is none of a sign-in.
    pub(super) fn filled_in(&mut self, page: &Page) -> Result<Option<Form>, UserAgentError> {
        let Some(mut form) = html::form(&page.body) else { return Ok(None) };
        let step = match form.action.as_str() {
            "/sign-in" => self.sign_in(&mut form, page)?,
            "/choose" => self.choose(&mut form, page),
            "/consent" => self.consent(&mut form),
            "/device" => self.code(&mut form, page)?,
            _ => return Ok(None),
        };
        self.steps.push(step.to_owned());
        Ok(Some(form))
    }

    fn sign_in(&mut self, form: &mut Form, page: &Page) -> Result<&'static str, UserAgentError> {
        if self.next_sign_in == Meeting::Again {
            return Err(UserAgentError::WrongPassword { text: html::alert(&page.body) });
        }
        self.next_sign_in = Meeting::Again;
        form.set("username", self.username);
        form.set("password", self.password);
        form.set("decision", "sign-in");
        Ok("sign-in page of Dev Issuer")
    }

    fn code(&mut self, form: &mut Form, page: &Page) -> Result<&'static str, UserAgentError> {
        if self.next_code_entry == Meeting::Again {
            return Err(UserAgentError::WrongCode { text: html::alert(&page.body) });
        }
        self.next_code_entry = Meeting::Again;
        form.set("user_code", self.user_code);
        Ok("page for a device's code")
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
