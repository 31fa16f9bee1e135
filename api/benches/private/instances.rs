//! Several instances of the API that share the store of used proofs (docs/scaling.md).

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;
use tempfile::TempDir;

use crate::World;
use crate::load::{Connection, Load};
use crate::report::{Race, say};
use crate::servers::{LOADS_CORE, SERVERS_CORE, Server};
use crate::support::keys::{TestKey, b64};
use crate::support::{AUDIENCE, claims, with};

/// Turns of each comparison.
const TURNS: usize = 5;

/// Proofs in a turn: fewer than are made in the minute for which they are good.
const PROOFS: usize = 4_000;

/// A store on a socket in a folder of its own; it ends with this value.
struct Store {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Store {
    /// `None` where there is no redis-server.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket);
        let mut child = command.stdout(Stdio::piped()).spawn().ok()?;
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        lines.map_while(Result::ok).find(|line| line.contains("eady to accept connections"))?;
        Some(Self { child, address: format!("unix://{}", socket.display()), _folder: folder })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token that is bound to a key, and the proofs by it.
struct Holder {
    key: TestKey,
    token: String,
    made: usize,
}

impl Holder {
    fn of(world: &World) -> Self {
        let key = TestKey::p256("holder");
        let own = json!({ "iat": now(), "exp": now() + 3600, "cnf": { "jkt": key.thumbprint() } });
        let token = world.elliptic.token(&with(claims(&world.issuer.url), &own));
        Self { key, token, made: 0 }
    }

    /// Requests, each with a proof that was never used.
    fn requests(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.request()).collect()
    }

    fn request(&mut self) -> Vec<u8> {
        self.made += 1;
        let header = json!({ "typ": "dpop+jwt", "kid": null, "jwk": self.key.bare_jwk() });
        let proof = self.key.token_with(
            &header,
            &json!({
                "jti": format!("proof-{}", self.made),
                "htm": "GET",
                "htu": "http://127.0.0.1/private",
                "iat": now(),
                "ath": b64(digest(&SHA256, self.token.as_bytes()).as_ref()),
            }),
        );
        let token = &self.token;
        format!(
            "GET /private HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: DPoP {token}\r\n\
             dpop: {proof}\r\n\r\n"
        )
        .into()
    }
}

impl World {
    /// What the store costs, what a second instance brings, and that a proof is good once.
    pub(crate) fn instances(&self) {
        let Some(store) = Store::start() else {
            return say("redis-server is not there: no run with several instances");
        };
        let shared = ["--proof-store", store.address.as_str()];
        let alone = self.api();
        let [first, second] = [SERVERS_CORE, LOADS_CORE]
            .map(|core| Server::instance(&self.issuer.url, AUDIENCE, &shared, core));
        let mut holder = Holder::of(self);
        // The keys and the connection to the store are there from now on.
        Load::each(&holder.requests(64)).on_all(&[&first, &second]);

        let mut race = Race::new(["proofs in the store", "proofs in memory"]);
        for _ in 0..TURNS {
            let own = Load::each(&holder.requests(PROOFS)).on(&first);
            race.turn([own, Load::each(&holder.requests(PROOFS)).on(&alone)]);
        }
        race.say("One instance, by where it remembers used proofs", "DPoP, ES256");
        let mut race = Race::new(["two instances", "one instance"]);
        for _ in 0..TURNS {
            let both = Load::each(&holder.requests(PROOFS)).on_all(&[&first, &second]);
            race.turn([both, Load::each(&holder.requests(PROOFS)).on(&first)]);
        }
        race.say("Two instances on two cores, one store", "DPoP, ES256");
        once(&holder.requests(PROOFS), [&first, &second]);
    }
}

/// Sends each request to both instances at once, and counts which of them took it.
fn once(requests: &[Vec<u8>], instances: [&Server; 2]) {
    let mut taken = [0, 0];
    for request in requests {
        let sent = instances.map(|instance| Connection::open(instance, request));
        let statuses = sent.map(|mut connection| connection.receive());
        match statuses {
            [200, 401] => taken[0] += 1,
            [401, 200] => taken[1] += 1,
            other => panic!("a proof was taken by both or by none: {other:?}"),
        }
    }
    let [first, second] = taken;
    let all = requests.len();
    say(&format!(
        "  {all} proofs sent to both at once: {first} taken by one, {second} by the other"
    ));
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
