//! The measurement, on X11.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ImageFormat, Window,
};
use x11rb::rust_connection::RustConnection;

const STARTS: usize = 10;
const REST: Duration = Duration::from_secs(10);
/// What is behind everything by day: blue, green, red.
const GROUND: [u8; 3] = [0xf8, 0xf4, 0xf3];

pub(crate) fn measure() {
    let (_server, display) = display();
    let (x, screen) = RustConnection::connect(Some(&display)).unwrap();
    let root = x.setup().roots[screen].root;
    let children = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
    x.change_window_attributes(root, &children).unwrap().check().unwrap();

    let (mut mapped, mut painted) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let begun = Instant::now();
        let program = Program::start(&display);
        let window = wait_for_window(&x);
        mapped.push(begun.elapsed());
        while !is_painted(&x, window) {}
        painted.push(begun.elapsed());
        drop(program);
    }
    report("window on the screen", mapped);
    report("first frame", painted);

    let program = Program::start(&display);
    let window = wait_for_window(&x);
    while !is_painted(&x, window) {}
    thread::sleep(Duration::from_secs(2));
    let before = program.ticks();
    thread::sleep(REST);
    println!("at rest for {REST:?}: {} ticks of 10 ms", program.ticks() - before);
}

/// An X server without a screen, and its name.
fn display() -> (Ended, String) {
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "800x700x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut number = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
    (Ended(server), format!(":{}", number.trim()))
}

/// A process that ends with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Program(Ended);

impl Program {
    fn start(display: &str) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_demo-gui"))
            .args(["--socket", "/nonexistent/broker.sock"])
            .env("DISPLAY", display)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .spawn();
        Self(Ended(program.unwrap()))
    }

    /// The processor time that it has used.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.0.id())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        // User and system time, the 14th and 15th of all fields (proc_pid_stat(5)).
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
    }
}

fn wait_for_window(x: &RustConnection) -> Window {
    loop {
        if let Event::MapNotify(mapped) = x.wait_for_event().unwrap() {
            return mapped.window;
        }
    }
}

/// Whether the window's corner has its colour.
fn is_painted(x: &RustConnection, window: Window) -> bool {
    let asked = x.get_image(ImageFormat::Z_PIXMAP, window, 4, 4, 1, 1, u32::MAX).unwrap();
    asked.reply().is_ok_and(|image| image.data.starts_with(&GROUND))
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let [fastest, middle, slowest] = [0, STARTS / 2, STARTS - 1].map(|at| times[at].as_millis());
    println!("{what}: {middle} ms (fastest {fastest}, slowest {slowest}, of {STARTS})");
}
