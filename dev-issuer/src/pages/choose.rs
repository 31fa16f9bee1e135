//! The page that asks which account to go on with.

use crate::accounts::Account;
use crate::browser::Interaction;
use crate::pages::{Page, account_chip, esc, hidden_fields};

pub(crate) fn page(interaction: &Interaction, account: &Account) -> Page {
    let main = format!(
        r#"<h1>Choose an account</h1>
<p class="lead">to continue to <strong>{client}</strong></p>
{chip}
<form method="post" action="/choose">
{hidden}
<div class="buttons">
<button class="main" name="decision" value="stay">Continue</button>
<button name="decision" value="another">Use another</button>
</div>
</form>"#,
        client = esc(&interaction.request.client_name),
        chip = account_chip(account),
        hidden = hidden_fields(interaction),
    );
    Page::new("Choose an account", main).returning_to(interaction.request.answer_to.redirect_uri())
}
