//! The pages of a logout: the question, and the end.

use crate::accounts::Account;
use crate::pages::{Page, account_chip, esc};

/// Asks whether to sign out; `token` comes back with the answer.
pub(crate) fn question(account: &Account, token: &str, destination: Option<&str>) -> Page {
    let main = format!(
        r#"<h1>Sign out?</h1>
<p class="lead">You are signed in as</p>
{chip}
<form method="post" action="/sign-out">
<input type="hidden" name="token" value="{token}">
<div class="buttons">
<button class="main" name="decision" value="sign-out">Sign out</button>
<button name="decision" value="stay">Stay</button>
</div>
</form>"#,
        chip = account_chip(account),
        token = esc(token),
    );
    Page::new("Sign out?", main).returning_to(destination)
}

/// Says that nobody is signed in any more.
pub(crate) fn done() -> Page {
    let text = "<h1>You are signed out</h1>\n<p class=\"lead\">You may close this page.</p>";
    Page::new("Signed out", text.to_owned())
}

/// Says that nothing has changed.
pub(crate) fn stayed() -> Page {
    let text = "<h1>You are still signed in</h1>\n<p class=\"lead\">Nothing was changed.</p>";
    Page::new("Still signed in", text.to_owned())
}
