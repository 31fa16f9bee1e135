//! Questions as notifications of the desktop: for where no agent runs.
//!
//! The desktop's server is one who can be asked for as long as it is on the bus. A button is an
//! answer; a notification that is only put away is none.

use std::collections::HashMap;
use std::pin::pin;

use authbroker_core::consent::{Answer, Question, QuestionId, Rank, plain_words};
use authbroker_core::failure::printable;
use futures_util::StreamExt as _;
use zbus::Connection;
use zbus::fdo::DBusProxy;

use super::{Consent, News};
use crate::services::notify::{Notifications, SERVER};

/// What stands on the buttons. A desktop has room for three.
const BUTTONS: [(Answer, &str); 3] =
    [(Answer::No, "Deny"), (Answer::Once, "Allow once"), (Answer::ThirtyDays, "Allow for 30 days")];

/// Asks through the desktop's server whenever there is one, for as long as the session bus lasts.
pub(crate) async fn serve(consent: Consent) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let names = DBusProxy::new(&bus).await?;
    let changes = names.receive_name_owner_changed_with_args(&[(0, SERVER)]).await?;
    let mut changes = pin!(changes);
    loop {
        tokio::select! {
            Err(error) = ask(&consent, &bus) => {
                tracing::debug!(%error, "no notifications with buttons");
                if changes.next().await.is_none() {
                    return Ok(());
                }
            }
            change = changes.next() => if change.is_none() {
                return Ok(());
            },
        }
    }
}

/// Registers the server and asks through it. Ends only where that fails, or never.
async fn ask(consent: &Consent, bus: &Connection) -> zbus::Result<()> {
    let Some(notifications) = Notifications::open(bus).await? else {
        return std::future::pending().await;
    };
    let mut pressed = notifications.pressed().await?;
    let agent = consent.register(Rank::Notification);
    let mut agent = agent.map_err(|failure| zbus::Error::Failure(failure.message))?;
    let key = agent.key().to_owned();
    let mut shown: HashMap<u32, QuestionId> = HashMap::new();
    loop {
        tokio::select! {
            Some(news) = agent.next() => match news {
                News::Question { id, question, .. } => {
                    shown.insert(show(&notifications, &question).await?, id);
                }
                News::Withdrawn(id) => {
                    for number in shown.extract_if(|_, known| *known == id).map(|(number, _)| number) {
                        notifications.close(number).await?;
                    }
                }
            },
            Some((number, button)) = pressed.next() => {
                if let (Some(id), Some(answer)) = (shown.get(&number), Answer::parse(&button)) {
                    // Late, where the question is over.
                    let _late = consent.answer(&key, *id, answer);
                }
            }
            else => return std::future::pending().await,
        }
    }
}

async fn show(notifications: &Notifications, question: &Question) -> zbus::Result<u32> {
    let buttons = BUTTONS.map(|(answer, label)| (answer.name(), label));
    let summary = "May this app use your account?";
    notifications.show(summary, &words(question), &buttons).await
}

/// All that a person needs to know, in a few lines.
fn words(question: &Question) -> String {
    let caller = &question.caller;
    let mut lines = vec![printable(&caller.app().to_string())];
    if !caller.level().is_verified() {
        lines.push("Not verified: any program of yours can look like this one.".to_owned());
    }
    let account = match question.label.as_str() {
        "" => format!("whichever you sign in with at {}", question.provider),
        label => format!("{} at {}", printable(label), question.provider),
    };
    lines.push(format!("Account: {account}"));
    lines.extend(question.resources.iter().map(|it| format!("At: {}", printable(it.as_str()))));
    lines.push(format!("It wants to {}.", plain_words(&question.scopes).join("; ")));
    lines.extend(question.reason.as_deref().map(|it| format!("It says: “{}”", printable(it))));
    lines.join("\n")
}
