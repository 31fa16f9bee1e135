//! A person at a browser without scripts, who understands any provider's plain forms: types a name,
//! a password or a device's code where one is asked for, and presses the first button.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Response};
use url::Url;

use crate::stand::client;

/// More pages and redirects than any sign-in has.
const STEPS: usize = 40;

pub(super) struct Person {
    http: Client,
    cookies: BTreeMap<String, String>,
    /// What is typed where: the value for the name of an input.
    typed: BTreeMap<&'static str, String>,
    passwords: usize,
}

/// Where the person ends up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// At an address of the application, which nobody visits.
    Application(Url),
    /// At a page that asks for nothing more.
    Page,
}

struct Form {
    method: String,
    action: Url,
    fields: Vec<(String, String)>,
}

impl Person {
    pub(super) fn new(login: &str, password: &str) -> Self {
        let typed = [("username", login), ("login", login), ("password", password)];
        let typed = typed.map(|(name, value)| (name, value.to_owned())).into();
        Self { http: client(), cookies: BTreeMap::new(), typed, passwords: 0 }
    }

    /// Takes a device in the hand that shows this code.
    pub(super) fn holds_device(&mut self, user_code: &str) {
        self.typed.insert("user_code", user_code.to_owned());
    }

    /// How often a password has been typed so far.
    pub(super) fn passwords(&self) -> usize {
        self.passwords
    }

    /// Follows an address through the provider's pages to the end.
    pub(super) async fn walk(&mut self, address: &str) -> Ending {
        let mut url = Url::parse(address).unwrap();
        let home = url.origin();
        let mut form = None;
        for _ in 0..STEPS {
            if url.origin() != home {
                return Ending::Application(url);
            }
            let response = self.send(&url, form.take()).await;
            if let Some(location) = response.headers().get(LOCATION) {
                url = url.join(location.to_str().unwrap()).unwrap();
                continue;
            }
            let page = response.text().await.unwrap();
            let Some(found) = Form::read(&page, &url) else { return Ending::Page };
            let filled = found.filled_in(&self.typed);
            self.passwords += usize::from(filled.asks_for("password"));
            url = filled.action.clone();
            form = Some(filled);
        }
        panic!("the pages of {address} lead in a circle");
    }

    async fn send(&mut self, url: &Url, form: Option<Form>) -> Response {
        let request = match form {
            Some(form) if form.method == "post" => self.http.post(url.clone()).form(&form.fields),
            Some(form) => {
                let mut url = url.clone();
                url.query_pairs_mut().clear().extend_pairs(&form.fields);
                self.http.get(url)
            }
            None => self.http.get(url.clone()),
        };
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
            self.cookies.retain(|_, value| !value.is_empty());
        }
        response
    }
}

impl Form {
    /// The page's first form, and its first button if that has a name.
    fn read(page: &str, at: &Url) -> Option<Self> {
        let start = page.find("<form")?;
        let end = start + page[start..].find("</form>")?;
        let form = tags(&page[start..], "form").next()?;
        let action = attribute(form, "action").unwrap_or_default();
        let inputs = tags(&page[start..end], "input");
        let button = tags(&page[start..], "button").next();
        let fields = inputs.chain(button).filter_map(|tag| {
            Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
        });
        Some(Self {
            method: attribute(form, "method").unwrap_or_default().to_ascii_lowercase(),
            action: at.join(&action).unwrap(),
            fields: fields.collect(),
        })
    }

    fn asks_for(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    fn filled_in(mut self, typed: &BTreeMap<&'static str, String>) -> Self {
        for (name, value) in &mut self.fields {
            if let Some(typed) = typed.get(name.as_str()) {
                value.clone_from(typed);
            }
        }
        self
    }
}

fn tags<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let pieces = html.split('<').filter_map(|piece| piece.split_once('>')).map(|(tag, _)| tag);
    pieces.filter(move |tag| {
        tag.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut places = tag.match_indices(name).map(|(place, _)| place);
    let value = places.find_map(|place| {
        let before = tag[..place].chars().next_back()?;
        let after = tag[place + name.len()..].strip_prefix("=\"")?;
        before.is_whitespace().then(|| after.split('"').next())?
    })?;
    Some(value.replace("&amp;", "&").replace("&#39;", "'").replace("&quot;", "\""))
}
