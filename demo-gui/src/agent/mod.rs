//! A small dialog in which a person answers what apps ask for: `demo-gui --agent`.
//!
//! It shows one question at a time, and registers with the broker as `brokerctl agent` does. As
//! with the other window, [`Dialog`] is plain data, [`show`] turns it into widgets and clicks into
//! answers, and `worker` speaks to the broker on a thread of its own.
//!
//! Nothing is answered by accident: a question takes no answer in its first moments on the screen,
//! so that a click or a key that was meant for something else is none; Enter says no, and so does
//! Escape.

mod app;
mod dialog;
mod view;
mod worker;

pub use self::app::open;
pub use self::dialog::{Answer, Connection, Dialog, SETTLES};
pub use self::view::show;
