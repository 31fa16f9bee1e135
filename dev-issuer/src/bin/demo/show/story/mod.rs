//! The headless mode: one sign-in, two apps, step by step. Each step says what happened only after
//! it was seen to happen; the first that does not ends the story with an error.

mod app;
mod browser;
mod event;
mod steps;
pub(super) mod user_agent;

use std::time::Instant;

use self::steps::Story;
use super::compile::Programs;
use super::narrator::Narrator;
use super::services::Services;
use super::stage::Stage;

/// Tells the story from beginning to end.
pub(super) async fn tell(
    stage: &mut Stage,
    programs: &Programs,
    services: &Services,
    say: &mut Narrator,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut story = Story::begin(stage, programs, services, say).await?;
    story.nobody_is_signed_in().await?;
    story.an_app_signs_in().await?;
    let first = story.a_token_is_there().await?;
    story.the_message_comes().await?;
    story.the_other_app_has_it_too(&first).await?;
    story.the_token_is_renewed(&first).await?;
    story.an_app_signs_out().await?;
    story.both_are_refused().await?;
    story.no_secret_got_out()?;
    story.end().await?;
    let (steps, seconds) = (say.steps(), begun.elapsed().as_secs_f32());
    say.title(&format!(
        "\nAll {steps} steps happened, in {seconds:.1} s: one sign-in, two apps, one sign-out."
    ));
    Ok(())
}
