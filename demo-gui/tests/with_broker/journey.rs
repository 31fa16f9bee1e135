//! The whole journey in two real windows, by what a screen reader says and does alone.

use std::time::{SystemTime, UNIX_EPOCH};

use authbroker_client::Account;

use crate::screen::{Display, Look, Window};
use crate::session::{App, Session};
use crate::stand::{Broker, Person, SignIn, Stand};

/// Two windows, as a person sees and as a screen reader hears them.
struct Desk {
    stand: Stand,
    left: (Window, App),
    right: (Window, App),
    // Last, because the windows are on it.
    _session: Session,
    _display: Display,
}

impl Desk {
    async fn new() -> Self {
        let display = Display::start().await;
        let session = Session::start(&display).await;
        let reader = session.screen_reader().await;
        let stand = Stand::new().await;
        let look = Look {
            title: "Notes",
            theme: "light",
            left: 0,
            size: (480, 660),
            bus: session.address(),
        };
        let left = Window::open(&display, &stand, look).await;
        let notes = reader.newcomer(&[]).await;
        let look = Look { title: "Mail", theme: "dark", left: 500, size: (920, 880), ..look };
        let right = Window::open(&display, &stand, look).await;
        let mail = reader.newcomer(&[&notes]).await;
        Self {
            stand,
            left: (left, notes),
            right: (right, mail),
            _session: session,
            _display: display,
        }
    }

    /// Both windows come to say it.
    async fn both_say(&self, name: &str) {
        self.left.1.until_it_says(name).await;
        self.right.1.until_it_says(name).await;
    }

    /// Alice, who has just signed in.
    fn alice(&self) -> Account {
        Account { auth_time: now(), ..self.stand.alice() }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Xvfb, software GL and AT-SPI: ./test.sh runs it"]
async fn a_person_goes_all_the_way_by_what_a_screen_reader_says() {
    let desk = Desk::new().await;
    desk.both_say("The broker is not running").await;
    let broker = desk.stand.broker();
    desk.both_say("Welcome").await;
    sign_in(&desk, &broker).await;
    desk.left.1.press("Get Private Message").await;
    desk.left.1.until_it_says("Only authenticated users can read this message.").await;
    step_up(&desk, &broker).await;
    // The picture comes last.
    for (window, name) in [(&desk.left.0, "window-light"), (&desk.right.0, "window-dark")] {
        let meadow = |shot: &image::RgbImage| shot.pixels().any(|pixel| pixel.0 == [90, 158, 111]);
        let shot = window.until(meadow).await;
        window.keep(name, &shot);
    }
    hears_of_it(&desk, &broker).await;
}

/// What happens elsewhere is told to the windows: neither asks for it.
async fn hears_of_it(desk: &Desk, broker: &Broker) {
    let before = broker.world().calls.len();
    broker.change(|world| world.accounts.clear());
    desk.both_say("Welcome").await;
    broker.change(|world| world.accounts = vec![desk.alice()]);
    desk.both_say("Alice Adams").await;
    desk.right.1.press("Log out").await;
    desk.both_say("Welcome").await;
    let calls = broker.world().calls.split_off(before);
    let asked = calls.iter().filter(|call| !["GetToken", "WhoAmI"].contains(&call.as_str()));
    assert_eq!(asked.collect::<Vec<_>>(), ["SignOut"]);
}

/// Given up once, then done in one window; the other one shows it.
async fn sign_in(desk: &Desk, broker: &Broker) {
    let (_, notes) = &desk.left;
    notes.press("Sign in").await;
    notes.until_it_says("Go on in your browser").await;
    notes.press("Cancel").await;
    broker.until(|world| world.withdrawn == 1).await;
    notes.press("Sign in").await;
    broker.until(|world| world.sign_ins == 2).await;
    broker.change(|world| {
        world.expiry = Some(now() + 3600);
        world.accounts = vec![desk.alice()];
        world.person = Person::SignsIn;
    });
    desk.both_say("Alice Adams").await;
}

/// The API asks for a sign-in that is recent, and the message comes after it by itself.
async fn step_up(desk: &Desk, broker: &Broker) {
    let (_, mail) = &desk.right;
    mail.press("Details").await;
    mail.until_it_says("1, described").await;
    mail.press("Show recent").await;
    mail.until_it_says("The API asks for a new sign-in").await;
    mail.press("Sign in again").await;
    broker.until(|world| world.max_age == Some(300)).await;
    desk.stand.api.takes_sign_in_as(SignIn::Recent);
    broker.change(|world| world.person = Person::SignsIn);
    mail.until_it_says("Only users who have just signed in can read this message.").await;
}
