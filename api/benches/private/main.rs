//! How fast `/private` is, and against what.
//!
//!     cargo bench -p private-api --bench private [warm] [es256] [rs256] [tutorial] [instances]
//!
//! Each server is a process of its own on the first core; the load comes from the second, over 32
//! connections that are never idle, and is bounded in time or number. What is compared runs turn by
//! turn, so that what else the machine does falls on all alike, and the median of the turns counts.
//! Ratios are given by requests per second and by the CPU time that a request costs the server,
//! which says the same and hardly depends on what else runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a bench that cannot be set up must fail, and tells people what it found"
)]

mod instances;
mod load;
mod report;
mod servers;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::issuer::FakeIssuer;
use support::keys::TestKey;
use support::{AUDIENCE, claims, with};

use crate::load::Load;
use crate::report::{Race, say};
use crate::servers::Server;

/// Turns of each comparison.
const TURNS: usize = 13;

/// How long one turn with the same request lasts.
const TURN: Duration = Duration::from_millis(500);

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [role, jwk] = &arguments[..]
        && role == "signature-alone"
    {
        return servers::serve_signature_alone(jwk);
    }
    servers::keep_off_the_servers_core();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::start());
    let wanted = |name: &str| {
        let mut names = arguments.iter().filter(|argument| !argument.starts_with('-')).peekable();
        names.peek().is_none() || names.any(|one| one == name)
    };
    if wanted("warm") {
        world.warm_token();
    }
    if wanted("es256") {
        world.distinct_tokens(&world.elliptic, "ES256", 4_000);
    }
    if wanted("rs256") {
        world.distinct_tokens(&world.rsa, "RS256", 1_200);
    }
    if wanted("tutorial") {
        world.tutorial();
    }
    if wanted("instances") {
        world.instances();
    }
}

/// An issuer with two keys.
struct World {
    issuer: FakeIssuer,
    elliptic: TestKey,
    rsa: TestKey,
}

impl World {
    async fn start() -> Self {
        let (elliptic, rsa) = (TestKey::p256("elliptic"), TestKey::rsa("rsa"));
        let issuer = FakeIssuer::start(&[&elliptic, &rsa]).await;
        Self { issuer, elliptic, rsa }
    }

    fn api(&self) -> Server {
        let server = Server::private_api(&self.issuer.url, AUDIENCE);
        // The first request waits for the keys.
        Load::repeat(&request("/private", &self.token(&self.rsa, 0)), Duration::from_millis(200))
            .on(&server);
        server
    }

    /// A good token, different for each number.
    fn token(&self, key: &TestKey, number: usize) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let own: Value = json!({ "iat": now, "exp": now + 3600, "jti": format!("token-{number}") });
        key.token(&with(claims(&self.issuer.url), &own))
    }

    /// A token that the server knows, against the same server, and the same request, without a check.
    fn warm_token(&self) {
        let server = self.api();
        let token = self.token(&self.rsa, 1);
        let mut race = Race::new(["/private, warm token", "/public, no check"]);
        for _ in 0..TURNS {
            let private = Load::repeat(&request("/private", &token), TURN).on(&server);
            let public = Load::repeat(&request("/public", &token), TURN).on(&server);
            race.turn([private, public]);
        }
        race.say("A token that is known", "at least 85 %");
    }

    /// Tokens that were never seen, against a server that checks their signature and nothing else.
    fn distinct_tokens(&self, key: &TestKey, alg: &str, per_turn: usize) {
        let (api, alone) = (self.api(), Server::signature_alone(&key.jwk()));
        let tokens: Vec<_> = (0..TURNS * per_turn).map(|number| self.token(key, number)).collect();
        let requests: Vec<_> = tokens.iter().map(|token| request("/private", token)).collect();
        let mut race = Race::new(["/private, new tokens", "signature check alone"]);
        for slice in requests.chunks(per_turn) {
            let own = Load::each(slice).on(&api);
            let other = Load::each(slice).on(&alone);
            race.turn([own, other]);
        }
        race.say(&format!("Tokens that are new, {alg}"), "at least 90 %");
        let checks = servers::checks_per_second(key, &tokens[0]);
        say(&format!("  {alg} checks in a loop, without any server: {checks:.0} /s"));
    }

    /// The packages that tutorials use, with the same token.
    fn tutorial(&self) {
        let Some(node) = Server::tutorial(&self.issuer.url, AUDIENCE) else {
            return say("Node.js or npm is not there: no comparison with express");
        };
        let api = self.api();
        let request = request("/private", &self.token(&self.rsa, 2));
        // The just-in-time compiler has its time to warm up.
        Load::repeat(&request, 6 * TURN).on(&node);
        let mut race = Race::new(["private-api", "express + express-jwt"]);
        for _ in 0..TURNS {
            let own = Load::repeat(&request, TURN).on(&api);
            let other = Load::repeat(&request, TURN).on(&node);
            race.turn([own, other]);
        }
        race.say("Against the tutorial's backend", "at least 12 times");
        let [own, other] = [api.memory(), node.memory()];
        say(&format!(
            "  memory: {:.1} MiB against {:.1} MiB, {:.1} times less",
            own,
            other,
            other / own
        ));
    }
}

/// What a client sends.
fn request(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n")
        .into()
}
