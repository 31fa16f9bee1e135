//! How long the window takes to come up, and what it costs while nobody touches it.
//!
//! A display of its own, without a graphics card: `Xvfb` and software rendering. Ten starts; each is
//! timed from the spawn to the window on the screen, and to its first frame. Then ten seconds of
//! rest. `cargo bench -p demo-gui --bench start`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement on a terminal")]

#[cfg(target_os = "linux")]
mod linux;

fn main() {
    #[cfg(target_os = "linux")]
    linux::measure();
}
