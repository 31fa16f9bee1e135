//! The pages for a device's code: where it is typed, and what became of it.

use crate::pages::{Page, esc};

/// What went wrong at the last attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    UnknownCode,
}

/// Asks for the code.
pub(crate) fn page(typed: &str, trouble: Trouble) -> Page {
    let main = format!(
        r#"<h1>Connect a device</h1>
<p class="lead">Type the code that your device shows.</p>
{alarm}
<form method="get" action="/device">
<label for="user_code">Code</label>
<input id="user_code" name="user_code" value="{typed}" required autofocus autocomplete="off" autocapitalize="characters" spellcheck="false">
<div class="buttons"><button class="main">Continue</button></div>
</form>"#,
        alarm = alarm(trouble),
        typed = esc(typed),
    );
    Page::new("Connect a device", main)
}

fn alarm(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::None => "",
        Trouble::UnknownCode => {
            r#"<p class="alarm" role="alert">This code is not known here, was answered, or has expired.</p>"#
        }
    }
}

/// Says that the device will get on.
pub(crate) fn allowed() -> Page {
    let text =
        "<h1>The device is connected</h1>\n<p class=\"lead\">You may go back to the device.</p>";
    Page::new("Device connected", text.to_owned())
}

/// Says that the device was turned away.
pub(crate) fn denied() -> Page {
    let text = "<h1>The device was refused</h1>\n<p class=\"lead\">It gets no access.</p>";
    Page::new("Device refused", text.to_owned())
}
