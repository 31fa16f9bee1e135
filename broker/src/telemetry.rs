//! Logs: to standard error, or to the journal's side of it. No secret type can be printed.

use std::io::{IsTerminal as _, Stderr, stderr};
use std::sync::{Arc, Mutex, PoisonError};

pub use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;
use tracing_subscriber::fmt::format::{DefaultFields, Format, Full};
use tracing_subscriber::fmt::time::FormatTime;

use crate::config::env;

/// What is logged unless somebody says otherwise.
const USUAL: &str = "info,zbus=warn,hyper=warn,reqwest=warn";

/// What no filter changes: this crate logs the addresses that it opens, secrets and all.
const ALWAYS: &str = "webbrowser=off";

/// A filter that does not parse.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no log filter; say for example debug, or authbroker=debug,warn")]
pub struct BadFilter(String);

/// The log that is being written: how much it tells can be changed. Cheap to clone.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    sink: LogSink,
    put: Put,
    // A std mutex: held for a copy, never across an await.
    level: Mutex<LevelFilter>,
}

/// Puts a filter in force; tells whether that went.
type Put = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSink {
    /// Standard error, whatever that is.
    Console,
    /// The journal, through standard error.
    Journal,
}

/// Begins to log.
pub fn start(filter: Option<&str>) -> Result<Log, BadFilter> {
    let from_environment = env::text(env::LOG);
    let text = filter.or(from_environment.as_deref()).unwrap_or(USUAL);
    let filter = EnvFilter::try_new(format!("{text},{ALWAYS}"));
    let filter = filter.map_err(|_| BadFilter(text.to_owned()))?;
    let level = Mutex::new(filter.max_level_hint().unwrap_or(LevelFilter::TRACE));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr as fn() -> Stderr)
        .with_ansi(stderr().is_terminal());
    let (sink, put) = if env::logs_to_journal() {
        (LogSink::Journal, begin(builder.without_time()))
    } else {
        (LogSink::Console, begin(builder))
    };
    Ok(Log(Arc::new(Inner { sink, put, level })))
}

/// A log that begins to be written: its lines, its time, its filter, its place.
type Beginning<T> = SubscriberBuilder<DefaultFields, Format<Full, T>, EnvFilter, fn() -> Stderr>;

fn begin<T: FormatTime + Send + Sync + 'static>(builder: Beginning<T>) -> Put {
    let builder = builder.with_filter_reloading();
    let handle = builder.reload_handle();
    builder.init();
    Box::new(move |filter| handle.reload(filter).is_ok())
}

impl Log {
    /// Where it goes.
    pub fn sink(&self) -> LogSink {
        self.0.sink
    }

    /// How much it tells, at most.
    pub fn level(&self) -> LevelFilter {
        *self.0.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has it tell so much from here on, in the place of whatever filter it started with. The
    /// libraries below stay as quiet as they usually are. Tells whether that went.
    pub fn set_level(&self, level: LevelFilter) -> bool {
        let below = level.min(LevelFilter::WARN);
        let text = format!("{level},zbus={below},hyper={below},reqwest={below},{ALWAYS}");
        let done = EnvFilter::try_new(text).is_ok_and(|filter| (self.0.put)(filter));
        if done {
            *self.0.level.lock().unwrap_or_else(PoisonError::into_inner) = level;
        }
        done
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("level", &self.level()).finish_non_exhaustive()
    }
}
