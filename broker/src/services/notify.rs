//! The desktop's notifications (Desktop Notifications Specification), as far as they have buttons.
//!
//! Only a server that says it has `actions` is used: elsewhere a question could be read and not be
//! answered. What an app chose is escaped where the server reads markup, so that it stays words.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use zbus::{Connection, Variant, proxy};

/// The server's name on the bus.
pub const SERVER: &str = "org.freedesktop.Notifications";
/// A notification of this urgency stays on the screen until somebody acts.
const CRITICAL: u8 = 2;
/// It goes when it is closed, and not by itself.
const STAYS: i32 = 0;

#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Server {
    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;

    #[expect(clippy::too_many_arguments, reason = "the specification has them")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Variant<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    fn close_notification(&self, id: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;
}

/// A server that has buttons.
#[derive(Debug)]
pub struct Notifications {
    server: ServerProxy<'static>,
    markup: Markup,
}

/// What the server makes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Markup {
    Read,
    ShownAsItIs,
}

impl Notifications {
    /// Asks the server what it can. `None` where it has no buttons.
    pub async fn open(bus: &Connection) -> zbus::Result<Option<Self>> {
        let server = ServerProxy::new(bus).await?;
        let can = server.get_capabilities().await?;
        let has = |name: &str| can.iter().any(|known| known == name);
        let markup = if has("body-markup") { Markup::Read } else { Markup::ShownAsItIs };
        Ok(has("actions").then_some(Self { server, markup }))
    }

    /// Puts one on the screen, with buttons: a key and a label each. Gives its number.
    pub async fn show(
        &self,
        summary: &str,
        body: &str,
        buttons: &[(&str, &str)],
    ) -> zbus::Result<u32> {
        let body = match self.markup {
            Markup::Read => escaped(body),
            Markup::ShownAsItIs => body.to_owned(),
        };
        let actions: Vec<_> = buttons.iter().flat_map(|(key, label)| [*key, *label]).collect();
        let hints = HashMap::from([("urgency", Variant::from(CRITICAL))]);
        self.server.notify("authbroker", 0, "", summary, &body, &actions, hints, STAYS).await
    }

    /// Takes one off the screen.
    pub async fn close(&self, id: u32) -> zbus::Result<()> {
        self.server.close_notification(id).await
    }

    /// Each button that is pressed: the notification's number, and the button's key.
    pub async fn pressed(&self) -> zbus::Result<BoxStream<'static, (u32, String)>> {
        let pressed = self.server.receive_action_invoked().await?;
        let read = pressed.filter_map(|signal| async move {
            let args = signal.args().ok()?;
            Some((*args.id(), args.action_key().clone()))
        });
        Ok(read.boxed())
    }
}

/// A text that markup cannot be in.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_an_app_chose_is_words_and_no_markup() {
        assert_eq!(escaped("<b>Bank</b> & co"), "&lt;b&gt;Bank&lt;/b&gt; &amp; co");
    }
}
