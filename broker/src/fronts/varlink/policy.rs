//! The methods of `org.authbroker.Admin1` about who may have what.

use std::time::Duration;

use authbroker_client::wire::frame::Reply;
use authbroker_client::wire::policy as wire;
use authbroker_core::caller::App;
use authbroker_core::failure::{Code, Failure};
use authbroker_core::policy::{Basis, Decision, Grant, GrantId, Lasting, Reach};
use authbroker_core::request::AccountRef;
use authbroker_core::resource::Resources;
use authbroker_core::scope::ScopeSet;
use authbroker_core::time::UnixTime;

use super::router::{Parameters, Router, bad, good, read};
use crate::broker::answers::{AskedBy, Used, Wanted, Which, ruling};
use crate::broker::why::{Explanation, Question};
use crate::fronts::translate;

impl Router {
    pub(super) async fn why(&self, parameters: Parameters<'_>) -> Reply {
        let question = match read(parameters).and_then(|wire| self.question(wire)) {
            Ok(question) => question,
            Err(failure) => return bad(&failure, None),
        };
        match self.services.broker.why(&self.caller, question).await {
            Ok(told) => good(&explanation(&told), false),
            Err(failure) => bad(&failure, None),
        }
    }

    pub(super) async fn list_apps(&self) -> Reply {
        match self.services.broker.apps(&self.caller).await {
            Ok(apps) => good(&wire::Apps { apps: apps.iter().map(app).collect() }, false),
            Err(failure) => bad(&failure, None),
        }
    }

    pub(super) async fn list_grants(&self) -> Reply {
        match self.services.broker.grants(&self.caller).await {
            Ok(grants) => good(&wire::Grants { grants: grants.iter().map(used).collect() }, false),
            Err(failure) => bad(&failure, None),
        }
    }

    pub(super) async fn grant(&self, parameters: Parameters<'_>) -> Reply {
        let wanted = match read(parameters).and_then(|wire| self.wanted(wire)) {
            Ok(wanted) => wanted,
            Err(failure) => return bad(&failure, None),
        };
        let broker = &self.services.broker;
        match broker.grant(&self.caller, wanted).await {
            Ok((given, other)) => {
                let overruled = other.map(|verdict| broker.because(&verdict));
                good(&wire::Answered { grant: grant(&given), overruled }, false)
            }
            Err(failure) => bad(&failure, None),
        }
    }

    pub(super) async fn revoke(&self, parameters: Parameters<'_>) -> Reply {
        let which = match read(parameters).and_then(|wire| self.which(wire)) {
            Ok(which) => which,
            Err(failure) => return bad(&failure, None),
        };
        match self.services.broker.revoke(&self.caller, which).await {
            Ok(gone) => good(&wire::Grants { grants: gone.iter().map(grant).collect() }, false),
            Err(failure) => bad(&failure, None),
        }
    }

    fn question(&self, wire: wire::Why) -> Result<Question, Failure> {
        Ok(Question {
            app: self.app_named(&wire.app)?,
            account: AccountRef::new(wire.account),
            resources: translate::resources(&wire.resource)?,
            scopes: translate::scopes(&wire.scopes)?,
        })
    }

    fn wanted(&self, wire: wire::Answer) -> Result<Wanted, Failure> {
        let resources = translate::resources(&wire.resource)?;
        let scopes = translate::scopes(&wire.scopes)?;
        let decision = Decision::parse(&wire.decision).unwrap_or(Decision::Ask);
        Ok(Wanted {
            app: self.app_named(&wire.app)?,
            account: wire.account,
            reach: Reach::of(&resources, &scopes),
            ruling: ruling(decision)?,
            lasts: wire.lasts.map(Duration::from_secs),
        })
    }

    fn which(&self, wire: wire::Revoke) -> Result<Which, Failure> {
        match (wire.id, wire.app) {
            (Some(id), None) => Ok(Which::Number(GrantId(id))),
            (None, Some(app)) => self.app_named(&app).map(Which::Of),
            _ => Err(Failure::new(
                Code::InvalidArgs,
                "say a number or an app",
                "brokerctl grants lists them",
            )),
        }
    }

    /// An app of this user, unless the name says another.
    fn app_named(&self, text: &str) -> Result<App, Failure> {
        App::parse(text, self.caller.uid).map_err(|error| {
            Failure::new(Code::InvalidArgs, error.to_string(), "brokerctl apps lists who has asked")
        })
    }
}

fn explanation(told: &Explanation) -> wire::Explanation {
    let verdict = &told.verdict;
    let (basis, place, answer) = match &verdict.basis {
        Basis::Rule(place) => ("rule", Some(place.to_string()), None),
        Basis::Grant(id) => ("answer", None, Some(id.0)),
        Basis::Default { .. } => ("policy", None, None),
        Basis::Manifest(file) => ("manifest", Some(file.to_string()), None),
        Basis::Pass => ("answer", None, None),
        Basis::AdminDoor => ("admin", None, None),
        Basis::Minted => ("minted", None, None),
    };
    let signed_in = !told.account.subject.is_empty();
    wire::Explanation {
        app: told.app.to_string(),
        level: told.level as u8,
        level_name: told.level.name().to_owned(),
        account: if signed_in { told.account.id.to_string() } else { String::new() },
        provider: told.account.provider.to_string(),
        resource: words(&told.resources),
        scopes: told.scopes.to_words(),
        decision: verdict.decision.name().to_owned(),
        basis: basis.to_owned(),
        place,
        answer,
        decided_resource: verdict.resource.as_ref().map(ToString::to_string),
        decided_scope: verdict.scope.clone(),
        because: told.because.clone(),
        needed: told.needed.clone(),
    }
}

fn app(asked: &AskedBy) -> wire::App {
    let level = asked.app.identity.level();
    wire::App {
        app: asked.app.to_string(),
        uid: asked.app.uid,
        level: level as u8,
        level_name: level.name().to_owned(),
        count: asked.count,
        refused: asked.refused,
        first: asked.first.as_secs(),
        last: asked.last.as_secs(),
    }
}

fn used(used: &Used) -> wire::Grant {
    let last_used = used.last_used.map(UnixTime::as_secs);
    wire::Grant { uses: used.uses, last_used, ..grant(&used.grant) }
}

fn grant(grant: &Grant) -> wire::Grant {
    let (lasts, until) = match grant.lasting {
        Lasting::Always => ("always", None),
        Lasting::Until(end) => ("until", Some(end.as_secs())),
        Lasting::UntilLocked => ("until-locked", None),
    };
    wire::Grant {
        id: grant.id.0,
        app: grant.app.to_string(),
        uid: grant.app.uid,
        decision: grant.ruling.decision().name().to_owned(),
        account: grant.account.to_string(),
        resource: grant.reach.resources.as_ref().map(words),
        scopes: grant.reach.scopes.as_ref().map(ScopeSet::to_words),
        lasts: lasts.to_owned(),
        until,
        terminal: grant.terminal.map(|terminal| terminal.leader),
        granted: grant.granted.as_secs(),
        uses: 0,
        last_used: None,
    }
}

fn words(resources: &Resources) -> Vec<String> {
    resources.iter().map(ToString::to_string).collect()
}
