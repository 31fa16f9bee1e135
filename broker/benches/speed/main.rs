//! How fast the broker is, told by what it adds to the parts that it cannot do without.
//!
//! Everything is measured beside a server that does nothing, in the same run and by the same client:
//! the machine's load is in both figures, and the ratio is what counts.
//!
//! ```sh
//! cargo bench -p authbroker --bench speed                     # all of it
//! cargo bench -p authbroker --bench speed -- renewal          # one of: warm, many, tool, start,
//!                                                           # memory, renewal, flock, hanging, hostile
//! ```

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that cannot be made must fail, and what it finds is for people"
)]

mod app;
mod broker;
mod figures;
mod flock;
mod hanging;
mod hostile;
mod many;
mod memory;
mod nothing;
mod pair;
mod provider;
mod renewal;
mod start;
mod tool;
mod warm;

/// The measurements, by the word that chooses one.
const ALL: [(&str, fn()); 9] = [
    ("warm", warm::measure),
    ("many", many::measure),
    ("tool", tool::measure),
    ("start", start::measure),
    ("memory", memory::measure),
    ("renewal", renewal::measure),
    ("flock", flock::measure),
    ("hanging", hanging::measure),
    ("hostile", hostile::measure),
];

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match &args[..] {
        [word, socket, answer] if word == nothing::WORD => {
            return nothing::serve(socket.as_ref(), answer);
        }
        [word, socket, kind] if word == hostile::WORD => return hostile::be(socket.as_ref(), kind),
        _ => {}
    }
    // What cargo itself adds begins with a dash.
    let words: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let chosen = |word: &str| words.is_empty() || words.iter().any(|chosen| *chosen == word);
    for (word, measure) in ALL {
        if chosen(word) {
            measure();
        }
    }
}
