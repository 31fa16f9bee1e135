//! The page that asks for the account's code. As this is a development provider, it tells the code.

use crate::accounts::Account;
use crate::browser::Interaction;
use crate::pages::{Page, account_chip, esc, hidden_fields};

/// What went wrong at the last attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    WrongCode,
}

pub(crate) fn page(interaction: &Interaction, account: &Account, trouble: Trouble) -> Page {
    let main = format!(
        r#"<h1>One thing more</h1>
<p class="lead"><strong>{client}</strong> wants to be sure that it is you.</p>
{chip}
{alarm}
<form method="post" action="/second-factor">
{hidden}
<label for="code">Your code</label>
<input id="code" name="code" required autofocus inputmode="numeric" autocomplete="one-time-code">
<div class="buttons">
<button class="main" name="decision" value="confirm">Confirm</button>
<button name="decision" value="cancel" formnovalidate>Cancel</button>
</div>
</form>
<details class="hints" open><summary>Test account</summary><p>The code is <code>{code}</code>.</p></details>"#,
        client = esc(&interaction.request.client_name),
        chip = account_chip(account),
        alarm = alarm(trouble),
        hidden = hidden_fields(interaction),
        code = esc(account.second_factor),
    );
    Page::new("One thing more", main).returning_to(interaction.request.answer_to.redirect_uri())
}

fn alarm(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::None => "",
        Trouble::WrongCode => r#"<p class="alarm" role="alert">This is not the code.</p>"#,
    }
}
