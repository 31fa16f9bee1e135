//! Times, and how they are told.

use std::time::{Duration, Instant};

/// How long a piece of work takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "this is what a benchmark is for")]
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

/// Many times of the same thing, in their order.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl Times {
    /// The time that so many of a hundred do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() * percent / 100).min(self.0.len() - 1)]
    }

    pub(crate) fn longest(&self) -> Duration {
        *self.0.last().unwrap()
    }

    pub(crate) fn print(&self, what: &str) {
        println!(
            "  {what:<44} p50 {:>9}  p99 {:>9}  max {:>9}",
            told(self.percentile(50)),
            told(self.percentile(99)),
            told(self.longest())
        );
    }
}

/// How many of one kind are measured before the other kind has its turn.
const AT_A_TIME: usize = 100;

/// Measures two things so many times each, some of the one and some of the other in turn: whatever
/// else the machine does meets both alike.
pub(crate) fn in_turn(
    each: usize,
    mut ours: impl FnMut(),
    mut base: impl FnMut(),
) -> (Times, Times) {
    let (mut ours_took, mut base_took) = (Vec::new(), Vec::new());
    while ours_took.len() < each {
        let some = AT_A_TIME.min(each - ours_took.len());
        ours_took.extend((0..some).map(|_| timed(&mut ours).1));
        base_took.extend((0..some).map(|_| timed(&mut base).1));
    }
    (ours_took.into_iter().collect(), base_took.into_iter().collect())
}

/// Prints both, and the ratio of the first to the second.
pub(crate) fn compare(title: &str, ours: (&str, &Times), base: (&str, &Times)) {
    heading(title);
    ours.1.print(ours.0);
    base.1.print(base.0);
    let ratio = |percent| {
        ours.1.percentile(percent).as_secs_f64() / base.1.percentile(percent).as_secs_f64()
    };
    println!("  {:<44} p50 {:>8.2}x  p99 {:>8.2}x", "ratio", ratio(50), ratio(99));
}

pub(crate) fn heading(title: &str) {
    println!("\n{title}");
}

/// A time in the unit that suits it.
pub(crate) fn told(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.1} us") } else { format!("{:.2} ms", micros / 1000.0) }
}
