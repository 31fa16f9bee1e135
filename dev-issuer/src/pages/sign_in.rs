//! The sign-in page. As this is a development provider, it lists its accounts and passwords.

use crate::accounts::{ACCOUNTS, Account};
use crate::browser::Interaction;
use crate::pages::{Page, esc, hidden_fields};

/// What went wrong at the last attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    WrongPassword,
}

pub(crate) fn page(interaction: &Interaction, username: &str, trouble: Trouble) -> Page {
    let (username_focus, password_focus) =
        if username.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
    let main = format!(
        r#"<h1>Sign in</h1>
<p class="lead">to continue to <strong>{client}</strong></p>
{alarm}
<form method="post" action="/sign-in">
{hidden}
<label for="username">Username</label>
<input id="username" name="username" value="{username}" required autocomplete="username" autocapitalize="none" spellcheck="false"{username_focus}>
<label for="password">Password</label>
<input id="password" name="password" type="password" required autocomplete="current-password"{password_focus}>
<div class="buttons">
<button class="main" name="decision" value="sign-in">Sign in</button>
<button name="decision" value="cancel" formnovalidate>Cancel</button>
</div>
</form>
{hints}"#,
        client = esc(&interaction.request.client_name),
        alarm = alarm(trouble),
        hidden = hidden_fields(interaction),
        username = esc(username),
        hints = hints(),
    );
    Page::new("Sign in", main).returning_to(interaction.request.answer_to.redirect_uri())
}

fn alarm(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::None => "",
        Trouble::WrongPassword => {
            r#"<p class="alarm" role="alert">The username or the password is wrong.</p>"#
        }
    }
}

fn hints() -> String {
    let rows: String = ACCOUNTS.iter().map(hint).collect();
    format!(
        r#"<details class="hints" open>
<summary>Test accounts</summary>
<table><thead><tr><th></th><th scope="col">Username</th><th scope="col">Password</th></tr></thead>
<tbody>{rows}</tbody></table>
</details>"#
    )
}

fn hint(account: &Account) -> String {
    format!(
        r#"<tr><td><img src="{}" alt="" width="28" height="28"></td><td><code>{}</code></td><td><code>{}</code></td></tr>"#,
        esc(&account.picture_path()),
        esc(account.username),
        esc(account.password)
    )
}
