//! What the desktop prefers: dark or light, from the portal that all desktops of Linux share.
//!
//! The portal is asked once, and tells every change after that. winit asks it on no desktop, and
//! elsewhere (macOS, Windows) knows by itself.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

/// How long a window waits for the desktop's word before it shows itself. A portal that runs
/// answers within a few milliseconds; one that must be started first is heard when it is there.
const PATIENCE: Duration = Duration::from_millis(100);

/// The colours that the desktop prefers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// No word yet.
    #[default]
    Unheard,
    /// It says nothing about it.
    NoPreference,
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

impl Scheme {
    /// The portal's number. One that it has not defined yet is no preference, as it asks for.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only the portal has it"))]
    const fn of(number: u32) -> Self {
        match number {
            1 => Self::Dark,
            2 => Self::Light,
            _ => Self::NoPreference,
        }
    }
}

/// Follows the desktop, for as long as the runtime lives.
pub(crate) fn follow(runtime: &Runtime) -> watch::Receiver<Scheme> {
    let (news, scheme) = watch::channel(Scheme::Unheard);
    runtime.spawn(os::follow(news));
    scheme
}

/// Waits a moment for the desktop's first word.
pub(crate) fn first_word(runtime: &Runtime, scheme: &mut watch::Receiver<Scheme>) -> Scheme {
    let heard = scheme.wait_for(|scheme| *scheme != Scheme::Unheard);
    // In time, or without: then it is as on a desktop that says nothing.
    let waited = runtime.block_on(async { tokio::time::timeout(PATIENCE, heard).await });
    waited.ok().and_then(Result::ok).map_or(Scheme::NoPreference, |scheme| *scheme)
}

#[cfg(target_os = "linux")]
mod os {
    use futures_util::StreamExt as _;
    use tokio::sync::watch;
    use zbus::proxy;
    use zbus::{OwnedVariant, Variant};

    use super::Scheme;

    const NAMESPACE: &str = "org.freedesktop.appearance";
    const KEY: &str = "color-scheme";

    #[proxy(
        interface = "org.freedesktop.portal.Settings",
        default_service = "org.freedesktop.portal.Desktop",
        default_path = "/org/freedesktop/portal/desktop"
    )]
    trait Settings {
        /// Since version 2 of the interface.
        fn read_one(&self, namespace: &str, key: &str) -> zbus::Result<OwnedVariant>;

        /// The same before that, with the value in one variant more.
        fn read(&self, namespace: &str, key: &str) -> zbus::Result<OwnedVariant>;

        #[zbus(signal)]
        fn setting_changed(
            &self,
            namespace: &str,
            key: &str,
            value: Variant<'_>,
        ) -> zbus::Result<()>;
    }

    pub(super) async fn follow(news: watch::Sender<Scheme>) {
        if hear(&news).await.is_err() {
            // No bus, or no portal: nobody prefers anything.
            news.send_replace(Scheme::NoPreference);
        }
    }

    async fn hear(news: &watch::Sender<Scheme>) -> zbus::Result<()> {
        let bus = zbus::Connection::session().await?;
        let portal = SettingsProxy::new(&bus).await?;
        // Listen first, so that no change is missed.
        let mut changes =
            portal.receive_setting_changed_with_args(&[(0, NAMESPACE), (1, KEY)]).await?;
        let first = match portal.read_one(NAMESPACE, KEY).await {
            Ok(value) => value,
            Err(_) => portal.read(NAMESPACE, KEY).await?,
        };
        news.send_replace(scheme(&first));
        while let Some(change) = changes.next().await {
            news.send_replace(scheme(change.args()?.value()));
        }
        Ok(())
    }

    fn scheme(value: &Variant<'_>) -> Scheme {
        match value {
            Variant::U32(number) => Scheme::of(*number),
            Variant::Variant(inner) => scheme(inner),
            _ => Scheme::NoPreference,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_portals_number_may_be_wrapped() {
            assert_eq!(scheme(&Variant::U32(1)), Scheme::Dark);
            assert_eq!(scheme(&Variant::Variant(Box::new(Variant::U32(2)))), Scheme::Light);
            assert_eq!(scheme(&Variant::U32(7)), Scheme::NoPreference);
            assert_eq!(scheme(&Variant::Str("dark".into())), Scheme::NoPreference);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use tokio::sync::watch;

    use super::Scheme;

    pub(super) async fn follow(news: watch::Sender<Scheme>) {
        news.send_replace(Scheme::NoPreference);
    }
}
