//! No secret is where it does not belong: looked for by value, at the loudest log level.

use authbroker_client::{AcquireRequest, Step, TokenRequest};

use crate::stand::Stand;

#[tokio::test]
async fn no_token_code_or_state_is_in_any_log_at_the_loudest_level() {
    let mut stand = Stand::new().await;
    let login = stand.begin_login([]).await;
    let url = url::Url::parse(&login.url).unwrap();
    let mut secrets: Vec<String> = url
        .query_pairs()
        .filter(|(name, _)| matches!(&**name, "state" | "nonce"))
        .map(|(_, value)| value.into_owned())
        .collect();
    login.browse("alice").await;
    let ran = login.end().await;
    for _ in 0..2 {
        secrets.push(stand.ctl(["token", "--force"]).await.line().to_owned());
    }
    let app = stand.app().await;
    secrets.push(app.token(TokenRequest::new()).await.unwrap().expose().to_owned());
    // The broker opens the browser itself, for the end of the session and for a new one.
    app.sign_out("").await.unwrap().done().await.unwrap();
    let mut pending = app.acquire(AcquireRequest::new()).await.unwrap();
    while let Ok(Step::Progress(progress)) = pending.next().await {
        if progress.phase.as_deref() == Some("browser-opened") {
            break;
        }
        let address = url::Url::parse(progress.url.as_deref().unwrap_or("x:")).unwrap();
        let state = address.query_pairs().find(|(name, _)| name == "state");
        secrets.extend(state.map(|(_, value)| value.into_owned()));
    }
    stand.terminate().await;
    let log = stand.log();
    assert!(log.contains("TRACE"), "the loudest level");
    for secret in &secrets {
        assert!(!log.contains(secret.as_str()), "a secret of {} letters", secret.len());
        assert!(!ran.err.contains(secret.as_str()));
    }
    assert!(!log.contains("eyJ"), "something that looks like a JWT: {}", line_with(&log, "eyJ"));
    assert!(!log.contains("refresh_token="), "{}", line_with(&log, "refresh_token="));
}

#[tokio::test]
async fn an_app_that_signs_out_without_a_browser_is_given_no_id_token() {
    let mut stand = Stand::signed_in().await;
    stand.terminate().await;
    let mut bare = crate::stand::daemon(stand.folder.path());
    stand.start_as(bare.env_remove("BROWSER").env("PATH", "/nonexistent")).await;
    let mut pending = stand.app().await.sign_out("").await.unwrap();
    let mut told = Vec::new();
    while let Step::Progress(progress) = pending.next().await.unwrap() {
        told.push(progress);
    }
    let printed = format!("{told:?}");
    assert!(printed.contains("no browser could be opened"), "{printed}");
    assert!(!printed.contains("id_token_hint") && !printed.contains("eyJ"), "an ID token");
}

fn line_with<'a>(log: &'a str, word: &str) -> &'a str {
    log.lines().find(|line| line.contains(word)).unwrap_or_default()
}

#[tokio::test]
async fn no_token_is_readable_on_the_disk() {
    let stand = Stand::signed_in().await;
    let token = stand.ctl(["token"]).await.line().to_owned();
    let mut folders = vec![stand.path("state"), stand.path("run")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains(&token) && !text.contains("eyJ"), "{}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn the_authorization_address_carries_no_verifier_and_no_repeated_parameter() {
    let stand = Stand::new().await;
    let login = stand.begin_login([]).await;
    let url = url::Url::parse(&login.url).unwrap();
    let names: Vec<_> = url
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .filter(|name| name != "resource")
        .collect();
    let mut distinct = names.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(names.len(), distinct.len(), "{names:?}");
    assert!(!names.iter().any(|name| name == "code_verifier" || name == "client_secret"));
    for needed in ["state", "nonce", "code_challenge", "code_challenge_method", "redirect_uri"] {
        assert!(names.iter().any(|name| name == needed), "{needed}");
    }
}
