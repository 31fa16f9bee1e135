//! The desktop's portal, of which there is one setting: the colours that it prefers.

use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedVariant, Variant, fdo, interface};

/// The portal's numbers.
pub(crate) const DARK: u32 = 1;
pub(crate) const LIGHT: u32 = 2;

const PATH: &str = "/org/freedesktop/portal/desktop";
const NAMESPACE: &str = "org.freedesktop.appearance";
const KEY: &str = "color-scheme";

struct Settings(u32);

#[interface(name = "org.freedesktop.portal.Settings")]
impl Settings {
    fn read_one(&self, namespace: &str, key: &str) -> fdo::Result<OwnedVariant> {
        match (namespace, key) {
            (NAMESPACE, KEY) => Ok(OwnedVariant::try_from(Variant::U32(self.0)).unwrap()),
            _ => Err(fdo::Error::Failed("there is no such setting".into())),
        }
    }

    #[zbus(signal)]
    async fn setting_changed(
        emitter: &SignalEmitter<'_>,
        namespace: &str,
        key: &str,
        value: Variant<'_>,
    ) -> zbus::Result<()>;
}

/// Starts the portal on `bus`, preferring `scheme`.
pub(crate) async fn start(bus: &Connection, scheme: u32) -> Connection {
    bus.object_server().at(PATH, Settings(scheme)).await.unwrap();
    bus.request_name("org.freedesktop.portal.Desktop").await.unwrap();
    bus.clone()
}

/// Has the desktop prefer `scheme` from now on.
pub(crate) async fn change(bus: &Connection, scheme: u32) {
    let settings = bus.object_server().interface::<_, Settings>(PATH).await.unwrap();
    settings.get_mut().await.0 = scheme;
    let value = Variant::U32(scheme);
    Settings::setting_changed(settings.signal_emitter(), NAMESPACE, KEY, value).await.unwrap();
}
