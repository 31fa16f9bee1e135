//! What people read.

use crate::load::Outcome;

pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Two servers, turn by turn.
pub(crate) struct Race {
    names: [&'static str; 2],
    turns: Vec<[Outcome; 2]>,
}

impl Race {
    pub(crate) fn new(names: [&'static str; 2]) -> Self {
        Self { names, turns: Vec::new() }
    }

    pub(crate) fn turn(&mut self, outcomes: [Outcome; 2]) {
        self.turns.push(outcomes);
    }

    /// Says the medians, and what the first is of the second.
    pub(crate) fn say(&self, title: &str, wanted: &str) {
        say(&format!("\n{title} ({wanted})"));
        for (index, name) in self.names.iter().enumerate() {
            let median = |value: fn(&Outcome) -> f64| self.median(|turn| value(&turn[index]));
            say(&format!(
                "  {name:<24} {:>8.0} requests/s  {:>6.2} µs of CPU each  waits p50 {:>6.0} µs, p99 {:>6.0} µs",
                median(|outcome| outcome.per_second),
                median(|outcome| outcome.cpu),
                median(|outcome| outcome.waits[0]),
                median(|outcome| outcome.waits[1]),
            ));
        }
        let rate = self.median(|[own, other]| own.per_second / other.per_second);
        let cpu = self.median(|[own, other]| other.cpu / own.cpu);
        let wait = self.median(|[own, other]| own.waits[1] / other.waits[1]);
        say(&format!(
            "  ratio: {rate:.3} by requests/s, {cpu:.3} by CPU time, {wait:.3} of the p99"
        ));
    }

    fn median(&self, value: impl Fn(&[Outcome; 2]) -> f64) -> f64 {
        let mut values: Vec<_> = self.turns.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}
