//! ID tokens that must not be believed.

use authbroker_client::wire::admin1::SignIn;
use authbroker_client::{Admin, Progress, Step};
use dev_issuer::{Alg, Fault, Options};

use super::{DISCOVERY, Ordeal};

/// An ordeal at a provider whose access token would be used at once, at the `UserInfo` endpoint:
/// tokens are for the provider itself, and the ID token has no name in it.
async fn eager(options: Options) -> Ordeal {
    let ordeal = Ordeal::with(options).await;
    let change = |text: &str| {
        text.lines()
            .filter(|line| !line.starts_with("resources"))
            .map(|line| match line.split_once(" = ") {
                Some(("scopes", _)) => "scopes = [\"openid\", \"offline_access\"]\n".to_owned(),
                _ => format!("{line}\n"),
            })
            .collect()
    };
    ordeal.stand.reconfigure(change).await;
    ordeal
}

/// After each fault nothing is asked for any more, and a good sign-in works.
async fn refused(table: &[(Fault, &str)]) {
    let ordeal = eager(Options::default()).await;
    let before = ordeal.stand.issuer.requests().len();
    ordeal.all_is_well().await;
    let good = ordeal.asked_since(before);
    assert_eq!(good, [DISCOVERY, "/token", "/jwks", "/userinfo"], "a good one goes on");
    for (fault, words) in table {
        ordeal.refuses(&[*fault], 1, words, &["/token"]).await;
        ordeal.all_is_well().await;
    }
}

#[tokio::test]
async fn an_id_token_that_nobody_signed_is_refused() {
    refused(&[
        (Fault::id_token_alg_none(), "its algorithm \"none\" is not accepted"),
        (Fault::id_token_alg_none_in_capitals(), "its algorithm \"NONE\" is not accepted"),
        (Fault::id_token_alg_none_in_mixed_case(), "its algorithm \"nOnE\" is not accepted"),
        (Fault::id_token_hs256_with_public_key(), "its algorithm \"HS256\" is not accepted"),
        (Fault::id_token_without_signature(), "the signature of its ID token does not verify"),
        (Fault::id_token_bad_signature(), "the signature of its ID token does not verify"),
        (Fault::id_token_crit_header(), "extensions that are not understood: [\"telepathy\"]"),
    ])
    .await;
}

#[tokio::test]
async fn a_key_that_a_token_brings_along_or_points_to_is_not_used() {
    for fault in [Fault::id_token_jwk_header(), Fault::id_token_jku_header()] {
        let ordeal = Ordeal::warm().await;
        let words = "the signature of its ID token does not verify";
        let nameless = [fault, Fault::id_token_without_kid()];
        ordeal.refuses(&nameless, 1, words, &["/token", "/jwks"]).await;
        let words = "signed with a key that it does not publish";
        ordeal.refuses(&[fault], 1, words, &["/token", "/jwks"]).await;
        ordeal.all_is_well().await;
    }
}

#[tokio::test]
async fn what_is_no_signed_token_is_refused() {
    refused(&[
        (Fault::id_token_missing(), "it has no ID token"),
        (Fault::id_token_mistyped(), "its ID token is no text"),
        (Fault::id_token_garbage(), "it is no JWT"),
        (Fault::id_token_encrypted(), "it is encrypted, which is not supported"),
        (Fault::id_token_copy_of_access_token(), "it is the access token once more"),
    ])
    .await;
}

#[tokio::test]
async fn an_id_token_from_or_for_somebody_else_is_refused() {
    refused(&[
        (Fault::id_token_wrong_iss(), "it is from another issuer"),
        (Fault::id_token_without_iss(), "it has no iss"),
        (Fault::id_token_wrong_aud(), "it is for another client"),
        (Fault::id_token_without_aud(), "it has no aud"),
        (Fault::id_token_several_auds(), "for several clients and does not say whose it is"),
        (Fault::id_token_wrong_azp(), "it was issued to another client"),
        (Fault::id_token_wrong_nonce(), "its nonce is not the one that was sent"),
        (Fault::id_token_without_nonce(), "its nonce is not the one that was sent"),
    ])
    .await;
}

#[tokio::test]
async fn an_id_token_about_nobody_is_refused() {
    refused(&[
        (Fault::id_token_without_sub(), "it has no sub"),
        (Fault::id_token_sub_mistyped(), "its sub is malformed"),
        (Fault::id_token_empty_sub(), "its subject is empty or too long"),
        (Fault::id_token_long_sub(), "its subject is empty or too long"),
    ])
    .await;
}

#[tokio::test]
async fn an_id_token_out_of_its_time_is_refused() {
    refused(&[
        (Fault::id_token_expired(), "it has expired"),
        (Fault::id_token_without_exp(), "it has no exp"),
        (Fault::id_token_exp_mistyped(), "its exp is malformed"),
        (Fault::id_token_without_iat(), "it has no iat"),
        (Fault::id_token_iat_in_future(), "it was issued in the future"),
        (Fault::id_token_not_yet_valid(), "it is not valid yet"),
        (Fault::id_token_wrong_at_hash(), "its at_hash belongs to another access token"),
    ])
    .await;
}

#[tokio::test]
async fn a_sign_in_that_is_older_than_an_app_allows_is_refused() {
    let ordeal = Ordeal::warm().await;
    let admin = Admin::connect(Some(ordeal.stand.path("run"))).await.unwrap();
    let recent = SignIn { max_age: Some(300), ..SignIn::default() };
    for fault in [Fault::id_token_old_auth_time(), Fault::id_token_without_auth_time()] {
        ordeal.stand.always(&[fault]);
        let mut pending = admin.sign_in(&recent).await.unwrap();
        let Step::Progress(Progress { url: Some(url), .. }) = pending.next().await.unwrap() else {
            panic!("no address")
        };
        crate::stand::browse(&url, "bob").await;
        let error = pending.done().await.unwrap_err().to_string();
        assert!(error.contains("not as strong or recent as was asked"), "{fault:?}: {error}");
        ordeal.stand.issuer.clear_faults();
        ordeal.nothing_is_kept_of("bob").await;
    }
    // Nobody asked how old it is: then it may be old.
    ordeal.bears(&[Fault::id_token_old_auth_time()]).await;
    ordeal.bears(&[Fault::id_token_without_auth_time()]).await;
}

#[tokio::test]
async fn what_an_id_token_may_leave_out_or_say_besides_is_borne() {
    let ordeal = Ordeal::warm().await;
    ordeal.bears(&[Fault::id_token_without_at_hash()]).await;
    ordeal.bears(&[Fault::id_token_several_auds_with_azp()]).await;
}

#[tokio::test]
async fn id_tokens_with_each_algorithm_of_the_provider_are_believed() {
    for id_alg in Alg::ALL {
        let ordeal = Ordeal::with(Options { id_alg, ..Options::default() }).await;
        ordeal.all_is_well().await;
        ordeal.bears(&[Fault::jwks_decoys()]).await;
    }
}
