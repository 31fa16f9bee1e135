//! The accessibility tree, as a screen reader walks it: AT-SPI over its own bus.

use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use futures_util::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zbus::message::Type;
use zbus::{Connection, MatchRule, MessageStream, OwnedObjectPath, OwnedVariant, Variant};

use crate::stand::PATIENCE;

const ROOT: &str = "/org/a11y/atspi/accessible/root";
/// The bit of a state that says: it reacts to a person.
const SENSITIVE: u32 = 1 << 24;
const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";

/// Whose it is on the bus, and where.
type Node = (String, OwnedObjectPath);

/// When something was heard.
pub(crate) type Times = Arc<Mutex<Vec<SystemTime>>>;

/// All apps that a screen reader sees.
pub(crate) struct Tree(Connection);

/// One of them.
pub(crate) struct App {
    bus: Connection,
    root: Node,
}

impl Tree {
    pub(super) async fn behind(session: &Connection) -> Self {
        let name = Some("org.a11y.Bus");
        let properties = Some("org.freedesktop.DBus.Properties");
        for property in ["IsEnabled", "ScreenReaderEnabled"] {
            let set = ("org.a11y.Status", property, Variant::Bool(true));
            session.call_method(name, "/org/a11y/bus", properties, "Set", &set).await.unwrap();
        }
        let asked = session.call_method(name, "/org/a11y/bus", name, "GetAddress", &()).await;
        let address: String = asked.unwrap().body().deserialize().unwrap();
        let bus = zbus::connection::Builder::address(address.as_str());
        Self(bus.build().await.unwrap())
    }

    /// The app that is there besides `known`, once it has come.
    pub(crate) async fn newcomer(&self, known: &[&App]) -> App {
        let registry = ("org.a11y.atspi.Registry".to_owned(), ROOT.try_into().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let apps = children(&self.0, &registry).await;
            let new = |app: &Node| known.iter().all(|known| known.root.0 != app.0);
            if let Some(root) = apps.into_iter().find(new) {
                return App { bus: self.0.clone(), root };
            }
        }
        panic!("no app came to the accessibility bus");
    }
}

impl App {
    /// Takes note, from now on, of when the app tells that it shows something else.
    pub(crate) async fn changes(&self) -> Times {
        let rule = MatchRule::builder().msg_type(Type::Signal).sender(self.root.0.as_str());
        let mut signals =
            MessageStream::for_match_rule(rule.build().unwrap(), &self.bus, None).await.unwrap();
        let times = Times::default();
        let heard = Times::clone(&times);
        tokio::spawn(async move {
            while signals.next().await.is_some() {
                heard.lock().unwrap().push(SystemTime::now());
            }
        });
        times
    }

    /// Waits until something is called `name`.
    pub(crate) async fn until_it_says(&self, name: &str) {
        self.find(name).await;
    }

    /// Waits until what is called `name` can be pressed.
    pub(crate) async fn until_it_takes(&self, name: &str) {
        self.find_so(name, true).await;
    }

    /// Presses what is called `name`, as soon as it can be pressed.
    pub(crate) async fn press(&self, name: &str) {
        let (owner, path) = self.find_so(name, true).await;
        let action = Some("org.a11y.atspi.Action");
        let done =
            self.bus.call_method(Some(owner.as_str()), path.as_str(), action, "DoAction", &0_i32);
        assert!(done.await.unwrap().body().deserialize::<bool>().unwrap(), "press {name}");
    }

    async fn find(&self, name: &str) -> Node {
        self.find_so(name, false).await
    }

    /// The first that is called `name`, once it is there and, where that is asked for, can be used. A
    /// walk takes a while, which is pause enough.
    async fn find_so(&self, name: &str, usable: bool) -> Node {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let mut ahead = vec![self.root.clone()];
            while let Some(node) = ahead.pop() {
                if called(&self.bus, &node).await.as_deref() == Some(name)
                    && (!usable || is_usable(&self.bus, &node).await)
                {
                    return node;
                }
                ahead.extend(children(&self.bus, &node).await);
            }
        }
        panic!("nothing came to be called {name}");
    }
}

/// A node that has just gone has no children, and no name.
async fn children(bus: &Connection, node: &Node) -> Vec<Node> {
    ask(bus, node, ACCESSIBLE, "GetChildren", &()).await.unwrap_or_default()
}

async fn called(bus: &Connection, node: &Node) -> Option<String> {
    let properties = "org.freedesktop.DBus.Properties";
    let name: OwnedVariant = ask(bus, node, properties, "Get", &(ACCESSIBLE, "Name")).await?;
    String::try_from(name).ok()
}

async fn is_usable(bus: &Connection, node: &Node) -> bool {
    let states: Option<Vec<u32>> = ask(bus, node, ACCESSIBLE, "GetState", &()).await;
    states.is_some_and(|states| states.first().is_some_and(|bits| bits & SENSITIVE != 0))
}

async fn ask<A: Serialize + zbus::Type, R: DeserializeOwned + zbus::Type>(
    bus: &Connection,
    (owner, path): &Node,
    interface: &str,
    method: &str,
    arguments: &A,
) -> Option<R> {
    let asked =
        bus.call_method(Some(owner.as_str()), path.as_str(), Some(interface), method, arguments);
    asked.await.ok()?.body().deserialize().ok()
}
