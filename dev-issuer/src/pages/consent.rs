//! The consent page: what the application asks for, in plain words.

use std::fmt::Write as _;

use crate::accounts::Account;
use crate::authorize::request::AnswerTo;
use crate::browser::Interaction;
use crate::pages::{Page, account_chip, esc, hidden_fields};

pub(crate) fn page(interaction: &Interaction, account: &Account) -> Page {
    let request = &interaction.request;
    let main = format!(
        r#"<h1>Allow access?</h1>
<p class="lead"><strong>{client}</strong> asks for access to this account:</p>
{chip}
{device}
<h2>It will be able to</h2>
<ul class="wants">{scopes}</ul>
{resources}
<form method="post" action="/consent">
{hidden}
<div class="buttons">
<button class="main" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</div>
</form>"#,
        client = esc(&request.client_name),
        chip = account_chip(account),
        device = device(&request.answer_to),
        scopes = request.scopes.names().map(wish).collect::<String>(),
        resources = resources(&request.resources),
        hidden = hidden_fields(interaction),
    );
    Page::new("Allow access?", main).returning_to(request.answer_to.redirect_uri())
}

/// A device is somewhere else: only the person can tell whether it is theirs (RFC 8628 §5.4).
fn device(answer_to: &AnswerTo) -> String {
    match answer_to {
        AnswerTo::Browser(_) => String::new(),
        AnswerTo::Device(code) => format!(
            r#"<h2>On a device that shows</h2>
<p class="user-code"><code>{}</code></p>
<p class="alarm">Allow only if you see this code on a device of yours. Nobody else needs it.</p>"#,
            esc(&code.to_string())
        ),
    }
}

fn wish(scope: &str) -> String {
    let words = match scope {
        "openid" => "know that it is you",
        "profile" => "see your name and your picture",
        "email" => "see your e-mail address",
        "offline_access" => "keep its access while you are away",
        "messages.read" => "read your messages",
        other => return format!("<li>use <code>{}</code></li>", esc(other)),
    };
    format!("<li>{words}</li>")
}

fn resources(resources: &[String]) -> String {
    if resources.is_empty() {
        return String::new();
    }
    let mut list = String::from("<h2>Where</h2>\n<ul class=\"wants\">");
    for resource in resources {
        // Writing to a String cannot fail.
        let _ = write!(list, "<li><code>{}</code></li>", esc(resource));
    }
    list + "</ul>"
}
