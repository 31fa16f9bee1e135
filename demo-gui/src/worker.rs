//! The tasks behind the front: one follows the broker, one does the job, one fetches the picture.
//!
//! At most one job is under way. A new one replaces it, and dropping a job drops its connection,
//! which is how the broker learns that nobody waits any more.

use std::sync::Arc;

use authbroker_client::{AcquireRequest, Progress, TokenRequest};
use tokio::sync::{Notify, mpsc};
use tokio_util::task::AbortOnDropHandle;

use crate::api_task::Api;
use crate::broker_task::{self, Broker};
use crate::messages::{
    Attempt, Command, Event, Facts, Job, Outbox, Reply, Settings, TokenAge, TokenFacts,
};
use crate::problem::Problem;
use crate::{claims, picture};

/// Does what it is told until `commands` ends, and tells how it went.
pub(crate) async fn run(
    settings: Settings,
    mut commands: mpsc::UnboundedReceiver<Command>,
    outbox: Outbox,
) {
    let desk = Desk { broker: Broker::behind(settings.door.clone()), settings, outbox };
    let again = Arc::new(Notify::new());
    let follow = broker_task::follow(desk.broker.clone(), desk.outbox.clone(), again.clone());
    let _follower = AbortOnDropHandle::new(tokio::spawn(follow));
    let mut _job = None;
    let mut _portrait = None;
    let mut _facts = None;
    while let Some(command) = commands.recv().await {
        match command {
            Command::Start(attempt, job) => _job = Some(spawn(desk.clone().work(attempt, job))),
            Command::Cancel => _job = None,
            Command::FetchPicture(url) => _portrait = Some(spawn(desk.clone().fetch(url))),
            Command::Ask(account) => _facts = Some(spawn(desk.clone().ask(account))),
            Command::Reconnect => again.notify_one(),
        }
    }
}

fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(task))
}

/// What every task has at hand.
#[derive(Clone)]
struct Desk {
    settings: Settings,
    broker: Broker,
    outbox: Outbox,
}

impl Desk {
    async fn work(self, attempt: Attempt, job: Job) {
        let reply = self.perform(attempt, job).await.unwrap_or_else(Reply::Failed);
        self.outbox.send(Event::Reply(attempt, reply));
    }

    async fn perform(&self, attempt: Attempt, job: Job) -> Result<Reply, Problem> {
        let tell = |progress: Progress| {
            self.outbox.send(Event::Reply(attempt, Reply::Progress(progress)));
        };
        Ok(match job {
            Job::SignIn { account } => {
                Reply::SignedIn(self.broker.sign_in(self.sign_in_request(account), tell).await?)
            }
            Job::StepUp(interaction) => {
                let request = AcquireRequest::from(&*interaction);
                Reply::SignedIn(self.broker.sign_in(request, tell).await?)
            }
            Job::SignOut { account } => {
                Reply::SignedOut(self.broker.sign_out(&account, tell).await?)
            }
            Job::GetMessage { account, page, token } => {
                let tell = |sent| self.outbox.send(Event::Sent(sent));
                let api = Api { url: &self.settings.api, tell };
                api.message(&self.broker, page, &self.token_request(account, token)).await?
            }
            Job::ReadClaims { account, token } => {
                let token = self.broker.token(self.token_request(account, token)).await?;
                Reply::Claims(claims::read(&token))
            }
        })
    }

    fn sign_in_request(&self, account: String) -> AcquireRequest {
        let request = AcquireRequest::new().account(account);
        match &self.settings.resource {
            Some(resource) => request.resource(resource),
            None => request,
        }
    }

    fn token_request(&self, account: String, age: TokenAge) -> TokenRequest {
        let request = TokenRequest::new().account(account);
        let request = match &self.settings.resource {
            Some(resource) => request.resource(resource),
            None => request,
        };
        match age {
            TokenAge::Any => request,
            TokenAge::Renewed => request.force(),
        }
    }

    async fn ask(self, account: String) {
        let request = self.token_request(account.clone(), TokenAge::Any);
        let (identity, token) = tokio::join!(self.broker.who_am_i(), self.broker.token(request));
        let identity = identity.map_err(Problem::from);
        let token = token.map(|token| TokenFacts::from(&token)).map_err(Problem::from);
        self.outbox.send(Event::Facts(Box::new(Facts { account, identity, token })));
    }

    async fn fetch(self, address: String) {
        if let Some(picture) = picture::load(&address).await {
            self.outbox.send(Event::Picture(address, picture));
        }
    }
}
