//! The person in front of the browser: fills in the forms of one sign-in.

use super::{Consent, Page, UserAgentError, html};
use crate::accounts::Account;
use crate::user_agent::html::Form;

/// One sign-in: what the person knows and wants, and what they have seen.
pub(super) struct Journey<'a> {
    username: &'a str,
    password: &'a str,
    consent: Consent,
    /// What a device shows.
    user_code: &'a str,
    next_sign_in: Meeting,
    next_device: Meeting,
    next_second_factor: Meeting,
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

impl Meeting {
    /// Says which time this is.
    fn meet(&mut self) -> Self {
        std::mem::replace(self, Self::Again)
    }

    /// Refuses to type the same code again.
    fn first_time(&mut self, page: &Page) -> Result<(), UserAgentError> {
        match self.meet() {
            Self::First => Ok(()),
            Self::Again => Err(UserAgentError::WrongCode { text: html::alert(&page.body) }),
        }
    }
}

impl<'a> Journey<'a> {
    pub(super) fn new(username: &'a str, password: &'a str, consent: Consent) -> Self {
        Self {
            username,
            password,
            consent,
            user_code: "",
            next_sign_in: Meeting::First,
            next_device: Meeting::First,
            next_second_factor: Meeting::First,
            steps: Vec::new(),
        }
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
            "/device" => self.device(&mut form, page)?,
            "/second-factor" => self.second_factor(&mut form, page)?,
            _ => return Ok(None),
        };
        self.steps.push(step.to_owned());
        Ok(Some(form))
    }

    fn sign_in(&mut self, form: &mut Form, page: &Page) -> Result<&'static str, UserAgentError> {
        if self.next_sign_in.meet() == Meeting::Again {
            return Err(UserAgentError::WrongPassword { text: html::alert(&page.body) });
        }
        form.set("username", self.username);
        form.set("password", self.password);
        form.set("decision", "sign-in");
        Ok("sign-in page of Dev Issuer")
    }

    fn device(&mut self, form: &mut Form, page: &Page) -> Result<&'static str, UserAgentError> {
        self.next_device.first_time(page)?;
        form.set("user_code", self.user_code);
        Ok("page for a device's code")
    }

    /// Types the code that the account has. A stranger to this provider has none.
    fn second_factor(
        &mut self,
        form: &mut Form,
        page: &Page,
    ) -> Result<&'static str, UserAgentError> {
        self.next_second_factor.first_time(page)?;
        let code = Account::named(self.username).map_or("", |account| account.second_factor);
        form.set("code", code);
        form.set("decision", "confirm");
        Ok("second factor")
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
