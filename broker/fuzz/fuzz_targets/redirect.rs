//! The query of a request at the loopback address: only who knows the state ends the attempt.

#![no_main]

use authbroker_core::issuer::IssuerUrl;
use authbroker_core::sign_in::{IssParameter, SignIn, Verdict};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|query: &str| {
    let issuer = IssuerUrl::parse("https://login.example").unwrap();
    let sign_in = SignIn::begin(&[7; 96], issuer, IssParameter::Announced);
    let knows_the_state = query.contains(sign_in.state().expose());
    let verdict = sign_in.judge(query);
    assert!(knows_the_state || query.contains('%') || verdict == Verdict::Stray, "{verdict:?}");
    // Behind the right state anything may come, and nothing may break.
    let _verdict = sign_in.judge(&format!("state={}&{query}", sign_in.state().expose()));
});
