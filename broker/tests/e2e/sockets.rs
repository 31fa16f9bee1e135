//! The wire, spoken byte by byte.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::stand::{LIMIT, Stand};

/// A connection without a library.
pub(crate) struct Wire(pub(crate) UnixStream);

impl Wire {
    pub(crate) async fn connect(stand: &Stand, socket: &str) -> Self {
        Self(UnixStream::connect(stand.path(socket)).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next message, or `None` where the broker hung up.
    pub(crate) async fn receive(&mut self) -> Option<Value> {
        let mut text = Vec::new();
        loop {
            match tokio::time::timeout(LIMIT, self.0.read_u8()).await.expect("an answer in time") {
                Ok(0) => return Some(serde_json::from_slice(&text).unwrap()),
                Ok(byte) => text.push(byte),
                Err(_) => return None,
            }
        }
    }

    pub(crate) async fn call(&mut self, method: &str, parameters: Value) -> Value {
        let call = json!({"method": method, "parameters": parameters}).to_string();
        self.send(call.as_bytes()).await;
        self.send(&[0]).await;
        self.receive().await.expect("an answer")
    }
}

#[tokio::test]
async fn a_service_describes_itself() {
    let stand = Stand::new().await;
    let mut wire = Wire::connect(&stand, "run/broker.sock").await;
    let info = wire.call("org.varlink.service.GetInfo", json!({})).await;
    assert_eq!(
        info["parameters"]["interfaces"],
        json!(["org.varlink.service", "org.authbroker.Broker1"])
    );
    let description = wire
        .call(
            "org.varlink.service.GetInterfaceDescription",
            json!({"interface": "org.authbroker.Broker1"}),
        )
        .await;
    let text = description["parameters"]["description"].as_str().unwrap();
    assert!(text.contains("method GetToken("), "{text}");
}

#[tokio::test]
async fn the_admin_interface_stands_behind_its_own_door_only() {
    let stand = Stand::new().await;
    let mut app = Wire::connect(&stand, "run/broker.sock").await;
    let refused = app.call("org.authbroker.Admin1.Status", json!({})).await;
    assert_eq!(refused["error"], "org.varlink.service.InterfaceNotFound");
    let mut admin = Wire::connect(&stand, "run/admin.sock").await;
    assert!(
        admin.call("org.authbroker.Admin1.Status", json!({})).await["parameters"]["pid"].is_u64()
    );
}

#[tokio::test]
async fn errors_carry_a_name_a_message_and_a_hint() {
    let stand = Stand::new().await;
    let mut wire = Wire::connect(&stand, "run/broker.sock").await;
    let nobody = wire.call("org.authbroker.Broker1.GetToken", json!({})).await;
    assert_eq!(nobody["error"], "org.authbroker.Broker1.NoSuchAccount");
    assert_eq!(nobody["parameters"]["hint"], "brokerctl login dev");
    let unknown = wire.call("org.authbroker.Broker1.GiveMeAll", json!({})).await;
    assert_eq!(unknown["error"], "org.varlink.service.MethodNotFound");
    let misspelt = wire.call("org.authbroker.Broker1.GetToken", json!({"min_tll": 5})).await;
    assert_eq!(misspelt["error"], "org.authbroker.Broker1.InvalidArgs");
    let wrong = wire.call("org.authbroker.Broker1.GetToken", json!({"min_ttl": "5"})).await;
    assert_eq!(wrong["error"], "org.authbroker.Broker1.InvalidArgs");
}

#[tokio::test]
async fn a_token_has_the_members_that_the_contract_names() {
    let stand = Stand::signed_in().await;
    let mut wire = Wire::connect(&stand, "run/broker.sock").await;
    let parameters =
        json!({"account": "dev", "min_ttl": 60, "scopes": null, "correlation_id": "mine"});
    let token =
        wire.call("org.authbroker.Broker1.GetToken", parameters).await["parameters"].clone();
    for name in
        ["access_token", "token_type", "expires_at", "scopes", "resource", "account", "subject"]
    {
        assert!(!token[name].is_null(), "{name} in {token}");
    }
    assert_eq!(token["correlation_id"], "mine");
    assert!(token.get("refresh_token").is_none());
}

#[tokio::test]
async fn calls_sent_ahead_are_answered_in_their_order() {
    let stand = Stand::new().await;
    let mut wire = Wire::connect(&stand, "run/broker.sock").await;
    let mut calls = Vec::new();
    for method in [
        "org.authbroker.Broker1.WhoAmI",
        "org.authbroker.Broker1.ListAccounts",
        "org.varlink.service.GetInfo",
    ] {
        calls.extend_from_slice(json!({"method": method}).to_string().as_bytes());
        calls.push(0);
    }
    wire.send(&calls).await;
    let answers = [
        wire.receive().await.unwrap(),
        wire.receive().await.unwrap(),
        wire.receive().await.unwrap(),
    ];
    assert!(answers[0]["parameters"]["uid"].is_u64());
    assert!(answers[1]["parameters"]["accounts"].is_array());
    assert!(answers[2]["parameters"]["vendor"].is_string());
}

#[tokio::test]
async fn a_script_that_closes_its_end_still_gets_its_answer() {
    let stand = Stand::new().await;
    let mut wire = Wire::connect(&stand, "run/broker.sock").await;
    wire.send(b"{\"method\":\"org.authbroker.Broker1.WhoAmI\"}\0").await;
    wire.0.shutdown().await.unwrap();
    assert!(wire.receive().await.unwrap()["parameters"]["uid"].is_u64());
    assert!(wire.receive().await.is_none());
}
