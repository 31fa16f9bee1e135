//! The real window, on a display of its own: it opens, it can be used from the keyboard, and what
//! it shows is there to be looked at.

use tokio::process::Command;

use crate::screen::{Display, Look, NO_BUS, Window};
use crate::stand::{Person, Stand};

/// A colour that only Alice's picture has.
const MEADOW: [u8; 3] = [90, 158, 111];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Xvfb and software GL: ./test.sh runs it"]
async fn a_person_signs_in_and_reads_the_message() {
    for theme in ["light", "dark"] {
        let display = Display::start().await;
        let stand = Stand::new().await;
        let title = format!("Demo in {theme}");
        let look = Look { title: &title, theme, left: 0, size: (480, 640), bus: NO_BUS };
        let window = Window::open(&display, &stand, look).await;
        let empty = window.settled().await;
        window.keep(&format!("{theme}-1-no-broker"), &empty);

        let broker = stand.broker();
        let signed_out = window.settled_unlike(&empty).await;
        window.keep(&format!("{theme}-2-signed-out"), &signed_out);

        window.press("Return").await;
        broker.until(|world| world.sign_ins == 1).await;
        let signing_in = window.settled_unlike(&signed_out).await;
        window.keep(&format!("{theme}-3-signing-in"), &signing_in);

        let alice = stand.alice();
        broker.change(|world| {
            world.accounts = vec![alice];
            world.person = Person::SignsIn;
        });
        let signed_in = window.until(|shot| shot.pixels().any(|pixel| pixel.0 == MEADOW)).await;
        window.keep(&format!("{theme}-4-signed-in"), &signed_in);

        window.press("Return").await;
        let message = window.settled_unlike(&signed_in).await;
        assert_eq!(stand.api.served(), 1);
        window.keep(&format!("{theme}-5-message"), &message);
    }
}

#[tokio::test]
async fn without_a_display_the_program_says_what_helps() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_demo-gui"));
    program.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    let ended = program.output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    let helps = "hint: set DISPLAY or WAYLAND_DISPLAY, or run demo-gui --terminal";
    assert_eq!(said, format!("demo-gui: no display can be reached\n{helps}\n"));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Xvfb, software GL and dbus-daemon: ./test.sh runs it"]
async fn the_window_takes_the_desktops_colours_and_follows_them() {
    use crate::session::{Session, portal};

    let display = Display::start().await;
    let session = Session::start(&display).await;
    let portal = portal::start(session.bus(), portal::DARK).await;
    let stand = Stand::new().await;
    let look =
        Look { title: "Any", theme: "system", left: 0, size: (480, 640), bus: session.address() };
    let window = Window::open(&display, &stand, look).await;
    window.until(|shot| shot.get_pixel(4, 4).0 == [0x12, 0x13, 0x1a]).await;
    portal::change(&portal, portal::LIGHT).await;
    window.until(|shot| shot.get_pixel(4, 4).0 == [0xf3, 0xf4, 0xf8]).await;
    portal::change(&portal, portal::DARK).await;
    window.until(|shot| shot.get_pixel(4, 4).0 == [0x12, 0x13, 0x1a]).await;
}
