//! The steps of the story. Each asks, checks, and only then tells.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use dev_issuer::{ACCOUNTS, Account as Person};
use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{Client, Response};
use url::Url;

use super::app::{App, PRIVATE};
use super::browser::Browser;
use super::event::{Claims, Problem, Progress};
use crate::show::compile::Programs;
use crate::show::narrator::Narrator;
use crate::show::services::{Door, MAIL, NOTES, RESOURCE, Services};
use crate::show::stage::Stage;
use crate::show::within;

/// What the API tells everyone.
const PUBLIC: &str = "Everyone in the world can read this message.";

/// What the broker says of a sign-out that the issuer took part in.
const REVOKED: &str = "the provider revoked the tokens";

/// What would give a secret away: every JWT begins with the first, and a refresh token would stand
/// under the second.
const SECRETS: [&str; 2] = ["eyJ", "refresh_token"];

/// The person who signs in.
const PERSON: &Person = &ACCOUNTS[0];

/// The two apps, and who watches them.
pub(super) struct Story<'a> {
    stage: &'a Stage,
    services: &'a Services,
    say: &'a mut Narrator,
    browser: Browser,
    http: Client,
    notes: App,
    mail: App,
}

impl<'a> Story<'a> {
    /// Starts the apps. Everything runs, and says so.
    pub(super) async fn begin(
        stage: &'a mut Stage,
        programs: &Programs,
        services: &'a Services,
        say: &'a mut Narrator,
    ) -> anyhow::Result<Self> {
        say.step("Everything is running");
        let browser = Browser::open(stage.folder())?;
        let http = Client::builder().no_proxy().tls_certs_only([]).build()?;
        let notes = App::start(NOTES, Door::Socket, stage, programs, services).await?;
        let mail = App::start(MAIL, services.bus_or_socket(), stage, programs, services).await?;
        let mut story = Self { stage, services, say, browser, http, notes, mail };
        story.tell_who_is_there().await?;
        Ok(story)
    }

    async fn tell_who_is_there(&mut self) -> anyhow::Result<()> {
        let text = self.get("public").await?.text().await?;
        ensure!(text == PUBLIC, "the API has another public message: {text}");
        self.say.check(&format!("the API answers at /public: \"{text}\""));
        for app in [&self.notes, &self.mail] {
            ensure!(app.accounts.is_empty(), "{} knows an account already", app.name);
            let (name, id, door) = (app.name, app.process_id, app.door.name());
            self.say.check(&format!("{name}, process {id}, reaches the broker through {door}"));
        }
        Ok(())
    }

    pub(super) async fn nobody_is_signed_in(&mut self) -> anyhow::Result<()> {
        self.say.step("Nobody is signed in yet");
        let problem = wants_sign_in(self.notes.refused_message().await?)?;
        ensure!(self.browser.is_idle(), "the broker opened a browser without being asked to");
        self.say.check(&format!("{NOTES} asks for the private message: {problem}"));
        Ok(())
    }

    pub(super) async fn an_app_signs_in(&mut self) -> anyhow::Result<()> {
        self.say.step(&format!("{NOTES} signs in"));
        let (account, progress) = self.notes.sign_in().await?;
        self.the_request_was_right(&progress)?;
        self.the_person_was_asked().await?;
        ensure!(has(&progress, "exchanging"), "the broker did not say that it exchanged the code");
        self.notes.sees(|accounts| accounts.iter().any(|a| a.id == account)).await?;
        self.say
            .check(&format!("the broker exchanged the code, and {NOTES} has account {account}"));
        Ok(())
    }

    fn the_request_was_right(&mut self, progress: &[Progress]) -> anyhow::Result<()> {
        let address = progress.iter().find_map(|step| step.url.as_deref());
        let address = Url::parse(address.context("the broker named no address to sign in at")?)?;
        let parameters: HashMap<_, _> = address.query_pairs().collect();
        let is = |name: &str, value: &str| parameters.get(name).is_some_and(|it| it == value);
        ensure!(address.as_str().starts_with(&self.services.issuer), "that is not the issuer");
        ensure!(is("response_type", "code"), "the broker did not ask for a code");
        ensure!(is("code_challenge_method", "S256"), "the broker did not use PKCE with S256");
        ensure!(is("resource", RESOURCE), "the broker did not name the resource");
        self.say.check(&format!(
            "authorization request: response_type=code, PKCE S256, resource={RESOURCE}"
        ));
        Ok(())
    }

    async fn the_person_was_asked(&mut self) -> anyhow::Result<()> {
        let seen = self.browser.visit().await?;
        let pages: Vec<_> = seen.steps.iter().map(String::as_str).collect();
        let asked = matches!(pages[..], ["sign-in page of Dev Issuer", "consent page", _]);
        ensure!(asked, "the browser came by other pages: {}", pages.join(", "));
        let (name, username) = (PERSON.name, PERSON.username);
        let text = format!("You are signed in as {name}. You can close this tab.");
        ensure!(
            seen.status == 200 && seen.text.contains(&text),
            "the last page says: {}",
            seen.text
        );
        ensure!(seen.path == "/callback", "the browser came back to {}", seen.path);
        self.say.check(&format!("the broker opens the browser: {}, {}", pages[0], pages[1]));
        self.say
            .check(&format!("{username} signs in and allows; the code goes to {}", seen.origin));
        self.say.check(&format!("the page there says: \"{text}\""));
        Ok(())
    }

    pub(super) async fn a_token_is_there(&mut self) -> anyhow::Result<Claims> {
        self.say.step("What the access token says");
        let token = self.notes.claims().await?;
        ensure!(token.text("iss") == self.services.issuer, "the token is another issuer's");
        ensure!(token.text("aud") == RESOURCE, "the token is for another API");
        ensure!(token.text("sub") == PERSON.subject, "the token is another person's");
        for name in ["iss", "aud", "sub", "client_id", "scope"] {
            self.say.fact(name, &token.text(name));
        }
        self.say.fact("exp", &format!("in {} s", until(expiry(&token)?).as_secs_f32().ceil()));
        self.say.check(&format!("{NOTES} has a token with the fingerprint {}", token.fingerprint));
        Ok(token)
    }

    pub(super) async fn the_message_comes(&mut self) -> anyhow::Result<()> {
        self.say.step(&format!("{NOTES} uses it"));
        self.notes.gets_message().await?;
        self.say.check(&format!("/private answers 200: \"{PRIVATE}\""));
        Ok(())
    }

    pub(super) async fn the_other_app_has_it_too(&mut self, first: &Claims) -> anyhow::Result<()> {
        self.say.step(&format!("{MAIL} is signed in too"));
        let ready = |label: &str, state: &str| label == PERSON.name && state == "ready";
        self.mail.sees(|all| all.iter().any(|a| ready(&a.label, &a.state))).await?;
        let (name, door) = (PERSON.name, self.mail.door.name());
        self.say.check(&format!("{MAIL} was told of {name} through {door}, without asking"));
        self.mail.gets_message().await?;
        self.say.check(&format!("/private answers it 200: \"{PRIVATE}\""));
        let token = self.mail.claims().await?;
        self.same_sign_in(first, &token)?;
        self.say.check("its token is of the same sign-in (sub, auth_time); no browser was opened");
        Ok(())
    }

    pub(super) async fn the_token_is_renewed(&mut self, first: &Claims) -> anyhow::Result<()> {
        self.say.step("The token expires, and nobody notices");
        self.say.wait_until(expiry(first)?, "the first token expires").await;
        self.notes.gets_message().await?;
        self.say.check(&format!("{NOTES} asks again: /private answers 200"));
        let token = self.notes.claims().await?;
        ensure!(token.fingerprint != first.fingerprint, "the token is still the first one");
        ensure!(expiry(&token)? > expiry(first)?, "the new token is no younger");
        let (new, old) = (&token.fingerprint, &first.fingerprint);
        self.say.check(&format!("the broker has renewed the token: {new} now, {old} before"));
        self.same_sign_in(first, &token)?;
        self.say.check("it is of the same sign-in; no browser was opened");
        Ok(())
    }

    fn same_sign_in(&self, first: &Claims, token: &Claims) -> anyhow::Result<()> {
        let same = |name| first.text(name) == token.text(name);
        ensure!(same("sub") && same("auth_time"), "the token is of another sign-in");
        ensure!(self.browser.is_idle(), "the browser was opened a second time");
        Ok(())
    }

    pub(super) async fn an_app_signs_out(&mut self) -> anyhow::Result<()> {
        self.say.step(&format!("{MAIL} signs out"));
        let (account, progress) = self.mail.sign_out().await?;
        let report = progress.iter().find_map(|step| step.message.as_deref());
        ensure!(report == Some(REVOKED), "the broker says of the sign-out: {report:?}");
        self.say.check(&format!("the broker forgets {account}: {REVOKED}"));
        let seen = self.browser.visit().await?;
        ensure!(seen.status == 200 && seen.origin == self.services.issuer, "it is no good page");
        self.say.check(&format!("the browser ends the session at the issuer: \"{}\"", seen.title));
        self.notes.sees(<[_]>::is_empty).await?;
        self.mail.sees(<[_]>::is_empty).await?;
        self.say.check(&format!("{NOTES} was told by the broker: there is no account any more"));
        Ok(())
    }

    pub(super) async fn both_are_refused(&mut self) -> anyhow::Result<()> {
        self.say.step("Nobody gets the message any more");
        for app in [&mut self.notes, &mut self.mail] {
            let problem = wants_sign_in(app.refused_message().await?)?;
            self.say.check(&format!("{} asks for it: {problem}", app.name));
        }
        let refusal = self.get("private").await?;
        ensure!(refusal.status() == 401, "/private answers {}", refusal.status());
        let challenge = refusal.headers().get(WWW_AUTHENTICATE).context("without a challenge")?;
        let challenge = challenge.to_str()?;
        self.say.check(&format!("/private without a token answers 401, {challenge}"));
        Ok(())
    }

    pub(super) fn no_secret_got_out(&mut self) -> anyhow::Result<()> {
        self.say.step("No secret got out");
        let logs = self.stage.read_logs()?;
        let said = [(NOTES, &self.notes.said), (MAIL, &self.mail.said)];
        let texts = logs.iter().map(|(name, text)| (name.as_str(), text)).chain(said);
        for (name, text) in texts {
            let found = SECRETS.into_iter().chain([PERSON.password]).find(|it| text.contains(it));
            ensure!(found.is_none(), "{name} has what looks like a secret");
        }
        self.say.check(&format!(
            "no token and no password in what the apps said and in the {} logs",
            logs.len()
        ));
        Ok(())
    }

    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        self.notes.quit().await?;
        self.mail.quit().await?;
        ensure!(self.browser.is_idle(), "the browser was opened once too often");
        Ok(())
    }

    async fn get(&self, page: &str) -> anyhow::Result<Response> {
        let request = self.http.get(format!("{}/{page}", self.services.api)).send();
        Ok(within("the API", request).await??)
    }
}

/// The refusal in words, if it is one that a sign-in would cure.
fn wants_sign_in(problem: Problem) -> anyhow::Result<String> {
    let Problem { code, message, .. } = problem;
    let cured = ["NoSuchAccount", "InteractionRequired"].contains(&code.as_str());
    ensure!(cured, "the broker refuses for another reason: {code}, {message}");
    Ok(format!("{code}, {message}"))
}

fn has(progress: &[Progress], phase: &str) -> bool {
    progress.iter().any(|step| step.phase.as_deref() == Some(phase))
}

fn expiry(token: &Claims) -> anyhow::Result<SystemTime> {
    let seconds = token.time("exp").context("the token does not say when it expires")?;
    Ok(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn until(moment: SystemTime) -> Duration {
    moment.duration_since(SystemTime::now()).unwrap_or_default()
}
