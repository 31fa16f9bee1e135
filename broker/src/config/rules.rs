//! Rules and `[policy]`: from what a person writes to what the core decides by.
//!
//! Each rule keeps its file and its line, because that is what a person is told when it decides.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use authbroker_core::caller::Identity;
use authbroker_core::policy::{AccountMatch, AppMatch, Decision, Policy, Reach, Rule, RulePlace};
use authbroker_core::resource::Resource;
use authbroker_core::scope::ScopeSet;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::file;

/// `[[rule]]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    #[schemars(with = "SaidApp")]
    app: App,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    resources: Option<Vec<String>>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    decision: Word,
}

/// A decision, as it is written.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    Allow,
    Ask,
    Deny,
}

impl Word {
    const fn decision(self) -> Decision {
        match self {
            Self::Allow => Decision::Allow,
            Self::Ask => Decision::Ask,
            Self::Deny => Decision::Deny,
        }
    }
}

/// `app = "*"` or `app = { … }`
#[derive(Debug)]
pub(super) enum App {
    /// Every app: that must be said, and is never meant by leaving it out.
    Any,
    Known(Box<AppKeys>),
}

/// The same for the schema: a word, or a table.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its shape matters")]
enum SaidApp {
    Any(Star),
    Known(AppKeys),
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its shape matters")]
enum Star {
    /// Every app.
    #[serde(rename = "*")]
    Any,
}

/// `app = { … }`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AppKeys {
    flatpak: Option<String>,
    snap: Option<String>,
    unit: Option<String>,
    label: Option<String>,
    exe: Option<String>,
    socket: Option<String>,
    uid: Option<u32>,
}

impl<'de> Deserialize<'de> for App {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AppVisitor)
    }
}

struct AppVisitor;

impl<'de> Visitor<'de> for AppVisitor {
    type Value = App;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"*\" for every app, or a table such as { flatpak = \"org.acme.Mail\" }")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<App, E> {
        match text {
            "*" => Ok(App::Any),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<App, A::Error> {
        let keys = AppKeys::deserialize(MapAccessDeserializer::new(map))?;
        Ok(App::Known(Box::new(keys)))
    }
}

impl App {
    /// Which callers are meant, or what is wrong.
    pub(super) fn matcher(self) -> Result<AppMatch, String> {
        match self {
            Self::Any => Ok(AppMatch::default()),
            Self::Known(keys) => keys.matcher(),
        }
    }
}

impl AppKeys {
    fn matcher(self) -> Result<AppMatch, String> {
        let named = [
            ("flatpak", self.flatpak),
            ("snap", self.snap),
            ("unit", self.unit),
            ("label", self.label),
            ("exe", self.exe),
            ("socket", self.socket),
        ];
        let mut identity = None;
        for (kind, name) in named {
            let Some(name) = name else { continue };
            if identity.is_some() {
                return Err("app: say one of flatpak, snap, unit, label, exe and socket".to_owned());
            }
            identity = Some(identify(kind, &name)?);
        }
        if identity.is_none() && self.uid.is_none() {
            return Err("app: say which; app = \"*\" means every app".to_owned());
        }
        Ok(AppMatch { identity, uid: self.uid })
    }
}

fn identify(kind: &str, name: &str) -> Result<Identity, String> {
    if kind == "exe" && name != "*" && !name.starts_with('/') {
        return Err(format!("app: exe = {name:?} is not the whole path of an executable"));
    }
    Identity::of_kind(kind, name).ok_or_else(|| format!("app: {kind} = \"\" names nothing"))
}

/// What a rule or a manifest is about.
pub(super) fn reach(
    resources: Option<&[String]>,
    scopes: Option<&[String]>,
) -> Result<Reach, String> {
    let all = "names none; leave it out to mean all";
    let resources = resources.map(|words| {
        let parsed = words.iter().map(|word| Resource::parse(word)).collect::<Result<_, _>>();
        parsed.map_err(|error| format!("resources: {error}"))
    });
    let scopes = scopes.map(|words| {
        let parsed = ScopeSet::from_words(words.iter().map(String::as_str));
        parsed.map_err(|error| format!("scopes: {error}"))
    });
    let reach = Reach { resources: resources.transpose()?, scopes: scopes.transpose()? };
    if reach.resources.as_ref().is_some_and(std::collections::BTreeSet::is_empty) {
        return Err(format!("resources {all}"));
    }
    if reach.scopes.as_ref().is_some_and(ScopeSet::is_empty) {
        return Err(format!("scopes {all}"));
    }
    Ok(reach)
}

impl WrittenRule {
    fn rule(self, place: RulePlace) -> Result<Rule, String> {
        let account = match self.account.as_deref() {
            Some("") => return Err("account names none; leave it out to mean all".to_owned()),
            Some(name) => AccountMatch::new(name),
            None => AccountMatch::Any,
        };
        Ok(Rule {
            place,
            app: self.app.matcher()?,
            account,
            reach: reach(self.resources.as_deref(), self.scopes.as_deref())?,
            decision: self.decision.decision(),
        })
    }
}

/// The rules of one file, in its order.
pub(super) fn of_file(
    path: &Path,
    text: &str,
    written: Vec<toml::Spanned<WrittenRule>>,
) -> Result<Vec<Rule>, Vec<String>> {
    let file: Arc<str> = path.display().to_string().into();
    let (mut rules, mut problems) = (Vec::new(), Vec::new());
    for rule in written {
        let place =
            RulePlace { file: Arc::clone(&file), line: super::line_of(text, rule.span().start) };
        match rule.into_inner().rule(place.clone()) {
            Ok(rule) => rules.push(rule),
            Err(problem) => problems.push(format!("{place}: [[rule]] {problem}")),
        }
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

/// What holds where no rule matches: a question, unless the file says otherwise.
pub(super) fn defaults(policy: &file::Policy) -> Policy {
    let or_ask = |word: Option<Word>| word.map_or(Decision::Ask, Word::decision);
    let (unverified, verified) = (or_ask(policy.unverified), or_ask(policy.verified));
    Policy { unverified, verified, ..Policy::default() }
}
