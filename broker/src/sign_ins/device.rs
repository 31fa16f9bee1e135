//! One sign-in with a code that a person types in on another device (RFC 8628).

use std::time::Duration;

use authbroker_core::failure::Failure;
use authbroker_core::ids::{AccountId, Stamp};
use authbroker_core::request::CodePage;
use authbroker_core::sign_in::device::{Heard, Next, Waiting};
use authbroker_core::time::BootTime;

use super::attempt::Attempt;
use super::words::timed_out;
use super::{Opener, Phase};
use crate::platform::clock;
use crate::platform::fault_point::{FaultPoint, reach};
use crate::services::oidc::device::{Device, Polled};
use crate::services::oidc::{Authorization, Metadata, SignedIn};

impl Attempt {
    /// Shows a code and asks until somebody has typed it in. When nobody is interested any more,
    /// the whole attempt is dropped, wherever it waits.
    pub(super) async fn with_code(&self, begun: Stamp) -> Result<AccountId, Failure> {
        let provider = &self.wish.provider;
        let metadata = provider.metadata().await?;
        let before = self.granted_before().await;
        let authorization =
            provider.authorization(&metadata, &self.wish.request, before.as_ref())?;
        let shown = clock::now().boot;
        let device = provider.begin_device(&metadata, &authorization).await?;
        let waiting = Waiting::begin(device.pace, self.wish.request.timeout, shown);
        self.show(&device, waiting.ends()).await;
        let signed_in = self.poll_until(waiting, shown, &metadata, &authorization, &device).await?;
        reach(FaultPoint::SignInExchanged);
        self.take_up(begun, signed_in).await.map(|(id, _)| id)
    }

    async fn show(&self, device: &Device, ends: BootTime) {
        let prompt = device.prompt.clone();
        let page = prompt.complete.clone().unwrap_or_else(|| prompt.page.clone());
        self.tell(Phase::DeviceCode { prompt, ends });
        let opened = self.wish.request.code_page == CodePage::Opened;
        if self.wish.opener == Opener::Broker && opened {
            self.open_browser(&page).await;
        }
    }

    async fn poll_until(
        &self,
        mut waiting: Waiting,
        since: BootTime,
        metadata: &Metadata,
        authorization: &Authorization,
        device: &Device,
    ) -> Result<SignedIn, Failure> {
        let mut last = Heard::Pending;
        loop {
            match waiting.next(clock::now().boot) {
                Next::Poll(pause) => tokio::time::sleep(pause).await,
                Next::GiveUp(rest) => {
                    tokio::time::sleep(rest).await;
                    return Err(given_up(since.until(waiting.ends()), last));
                }
            }
            match self.wish.provider.poll_device(metadata, authorization, device).await? {
                Polled::Waits(heard) => {
                    waiting.heard(heard);
                    last = heard;
                }
                Polled::SignedIn(signed_in) => return Ok(*signed_in),
            }
        }
    }
}

/// Why there is nobody, when the time has run out.
fn given_up(patience: Duration, last: Heard) -> Failure {
    let mut failure = timed_out(patience, 0);
    if let Heard::Nothing { .. } = last {
        failure.message.push_str("; the provider did not answer when it was last asked");
    }
    failure
}
