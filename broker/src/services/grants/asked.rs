//! Who has asked, counted beside the way of a request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use authbroker_core::caller::App;
use authbroker_core::policy::Decision;
use authbroker_core::time::UnixTime;

use super::file::Book;

/// More apps than a person has. Beyond it, the one that asked longest ago is forgotten.
const MOST: usize = 1024;

/// An app that has asked, and how that went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedBy {
    /// The app.
    pub app: App,
    /// How often it asked.
    pub count: u64,
    /// How often it was not given what it asked for.
    pub refused: u64,
    /// When it first asked.
    pub first: UnixTime,
    /// When it last asked.
    pub last: UnixTime,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// A std lock: held for a lookup; only an app that is new takes it for writing.
    apps: RwLock<HashMap<App, Arc<Counts>>>,
    /// Whether something was counted since it was last written.
    news: AtomicBool,
}

#[derive(Debug, Default)]
struct Counts {
    count: AtomicU64,
    refused: AtomicU64,
    first: AtomicU64,
    last: AtomicU64,
}

impl Asked {
    pub(super) fn count(&self, app: &App, decision: Decision, now: UnixTime) {
        let known = self.apps.read().unwrap_or_else(PoisonError::into_inner).get(app).cloned();
        let counts = known.unwrap_or_else(|| self.add(app, now));
        counts.count.fetch_add(1, Ordering::Relaxed);
        if decision != Decision::Allow {
            counts.refused.fetch_add(1, Ordering::Relaxed);
        }
        counts.last.store(now.as_secs(), Ordering::Relaxed);
        self.news.store(true, Ordering::Relaxed);
    }

    fn add(&self, app: &App, now: UnixTime) -> Arc<Counts> {
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        if apps.len() >= MOST && !apps.contains_key(app) {
            let longest = apps.iter().min_by_key(|(_, counts)| counts.last.load(Ordering::Relaxed));
            if let Some(longest) = longest.map(|(app, _)| app.clone()) {
                apps.remove(&longest);
            }
        }
        let first =
            || Arc::new(Counts { first: AtomicU64::new(now.as_secs()), ..Counts::default() });
        Arc::clone(apps.entry(app.clone()).or_insert_with(first))
    }

    /// The last one first.
    pub(super) fn list(&self) -> Vec<AskedBy> {
        let apps = self.apps.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = apps.iter().map(|(app, counts)| counts.of(app)).collect();
        all.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| name(&a.app).cmp(&name(&b.app))));
        all
    }

    /// Whether something was counted since this was last asked.
    pub(super) fn take_news(&self) -> bool {
        self.news.swap(false, Ordering::Relaxed)
    }

    /// Something is still to be written.
    pub(super) fn has_news(&self) {
        self.news.store(true, Ordering::Relaxed);
    }

    /// Adds what was counted before this daemon started.
    pub(super) fn take_up(&self, book: &Book) {
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        for asked in book.asked.iter().take(MOST) {
            let counts = apps.entry(asked.app.clone()).or_default();
            counts.count.fetch_add(asked.count, Ordering::Relaxed);
            counts.refused.fetch_add(asked.refused, Ordering::Relaxed);
            counts.first.store(asked.first.as_secs(), Ordering::Relaxed);
            counts.last.fetch_max(asked.last.as_secs(), Ordering::Relaxed);
        }
    }
}

impl Counts {
    fn of(&self, app: &App) -> AskedBy {
        let time = |of: &AtomicU64| UnixTime::from_secs(of.load(Ordering::Relaxed));
        AskedBy {
            app: app.clone(),
            count: self.count.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            first: time(&self.first),
            last: time(&self.last),
        }
    }
}

fn name(app: &App) -> String {
    app.to_string()
}
