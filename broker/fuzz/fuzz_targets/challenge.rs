//! What an API writes into `WWW-Authenticate`.

#![no_main]

use authbroker_core::challenge::{parse, remedy};
use authbroker_core::token::TokenType;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    let challenges = parse(header);
    assert!(challenges.len() <= 64);
    for status in [401, 403] {
        for presented in [TokenType::Bearer, TokenType::DPoP] {
            let _remedy = remedy(status, [header], presented);
        }
    }
});
