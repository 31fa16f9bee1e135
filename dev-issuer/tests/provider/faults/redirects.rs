//! Redirects that a browser brings home, or does not.

use dev_issuer::user_agent::{Consent, UserAgentError};
use dev_issuer::{Fault, Times};
use url::Url;

use crate::stand::{Query, Stand};

/// Where the browser is sent.
async fn answer(stand: &Stand, fault: Fault) -> Result<Url, UserAgentError> {
    stand.issuer.inject(fault, Times::Once);
    let url = stand.authorization_url(&Query::good());
    stand.browser.answer(&url, "alice", "wonderland", Consent::Allow).await
}

/// How often it says a parameter.
fn said(answer: &Url, name: &str) -> usize {
    answer.query_pairs().filter(|(known, _)| known == name).count()
}

#[tokio::test]
async fn a_redirect_can_say_a_thing_twice_or_not_at_all() {
    let stand = Stand::new().await;
    for (fault, name, times) in [
        (Fault::redirect_without_state(), "state", 0),
        (Fault::redirect_state_twice(), "state", 2),
        (Fault::redirect_missing_iss(), "iss", 0),
        (Fault::redirect_iss_twice(), "iss", 2),
        (Fault::redirect_code_twice(), "code", 2),
        (Fault::redirect_empty(), "code", 0),
        (Fault::redirect_error_and_code(), "error", 1),
        (Fault::redirect_unknown_parameters(), "session_state", 1),
    ] {
        assert_eq!(said(&answer(&stand, fault).await.unwrap(), name), times, "{fault:?}");
    }
    let markup = answer(&stand, Fault::redirect_error_with_markup()).await.unwrap();
    assert_eq!(said(&markup, "code"), 0);
    let error = markup.query_pairs().find(|(name, _)| name == "error").unwrap().1.into_owned();
    assert_eq!(error, "<script>alert(1)</script>");
}

#[tokio::test]
async fn a_redirect_can_lead_elsewhere_or_nowhere() {
    let stand = Stand::new().await;
    let other = answer(&stand, Fault::redirect_other_path()).await.unwrap();
    assert_eq!((other.path(), said(&other, "code")), ("/another-path", 1));
    let nowhere = answer(&stand, Fault::redirect_never()).await;
    assert!(matches!(nowhere, Err(UserAgentError::UnexpectedPage { .. })), "{nowhere:?}");
    // More than the test's own browser takes in, as the fault means it.
    assert!(answer(&stand, Fault::redirect_huge()).await.is_err());
}

#[tokio::test]
async fn a_browser_that_is_told_so_posts_its_form_to_the_application() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let stand = Stand::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = format!("http://{}/callback", listener.local_addr().unwrap());
    stand.issuer.inject(Fault::redirect_by_post(), Times::Once);
    let url = stand.authorization_url(&Query::good().with("redirect_uri", &home));
    let application = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = [0; 16];
        stream.read_exact(&mut heard).await.unwrap();
        stream.write_all(b"HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        heard
    };
    let browses = stand.browser.sign_in(&url, "alice", "wonderland", Consent::Allow);
    let (heard, visit) = tokio::join!(application, browses);
    assert_eq!(&heard, b"POST /callback?c");
    assert_eq!(visit.unwrap().status, 405);
}
