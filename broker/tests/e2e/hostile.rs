//! Peers that are broken, or mean no good: each is dropped or bounded, and nobody else notices.

use std::time::Duration;

use authbroker::platform;
use authbroker_client::{Client, Door, ErrorCode};
use dev_issuer::{Fault, Times};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::sockets::Wire;
use crate::stand::{ALLOW_ALL, LIMIT, Stand};

const SOCKET: &str = "run/broker.sock";
const BUSY: &str = "org.authbroker.Broker1.Busy";

/// How much more memory than before, in KiB, peers may make the broker take. Far more than bounded
/// peers need, far less than unbounded ones take.
const SOME_MEMORY: u64 = 32 * 1024;

fn message(method: &str, parameters: &Value, more: bool) -> Vec<u8> {
    let call = json!({"method": method, "parameters": parameters, "more": more});
    let mut bytes = call.to_string().into_bytes();
    bytes.push(0);
    bytes
}

/// Does `work`, and meanwhile asks for the token at hand again and again, each time in another
/// process. Each of them has to get it.
async fn unnoticed<T>(stand: &Stand, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    // So that a machine with few cores gets to the work, too.
    let mut often = tokio::time::interval(Duration::from_millis(100));
    let token = async || {
        let ran = stand.ctl(["token", "--socket", stand.socket().to_str().unwrap()]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    };
    token().await;
    let done = loop {
        tokio::select! {
            done = work.as_mut() => break done,
            () = async { often.tick().await; token().await } => {}
        }
    };
    token().await;
    done
}

/// Waits until the broker hangs up, whatever it says before.
async fn hung_up(wire: &mut Wire) {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(LIMIT, wire.0.read_to_end(&mut rest)).await;
    let _reset_or_ended = end.expect("the broker hangs up");
}

#[tokio::test]
async fn who_is_slow_to_speak_to_finish_or_to_read_is_dropped() {
    let stand = Stand::signed_in().await;
    let silent = async {
        let mut wire = Wire::connect(&stand, SOCKET).await;
        assert!(wire.receive().await.is_none());
    };
    let half = async {
        let mut wire = Wire::connect(&stand, SOCKET).await;
        wire.send(b"{\"method\":").await;
        assert!(wire.receive().await.is_none(), "ended by the broker, not by us");
    };
    let half_in_a_stream = async {
        let mut wire = Wire::connect(&stand, SOCKET).await;
        wire.send(&message("org.authbroker.Broker1.Watch", &json!({}), true)).await;
        wire.send(b"{\"method\":").await;
        hung_up(&mut wire).await;
    };
    let drop_by_drop = async {
        let mut wire = Wire::connect(&stand, SOCKET).await;
        let mut drops = tokio::time::interval(Duration::from_millis(500));
        while wire.0.write_all(b"a").await.is_ok() {
            drops.tick().await;
        }
    };
    let never_reads = async {
        let mut wire = Wire::connect(&stand, SOCKET).await;
        let name = json!({"interface": "org.authbroker.Broker1"});
        let call = message("org.varlink.service.GetInterfaceDescription", &name, false);
        while wire.0.write_all(&call).await.is_ok() {}
    };
    let all = async { tokio::join!(silent, half, half_in_a_stream, drop_by_drop, never_reads) };
    let all = tokio::time::timeout(LIMIT, unnoticed(&stand, all)).await;
    all.expect("each of them is dropped");
}

#[tokio::test]
async fn nonsense_ends_the_connection() {
    let stand = Stand::signed_in().await;
    for nonsense in ["hello\0", "[]\0", "{}\0", "{\"method\":7}\0", "\0", "\u{fffd}\0"] {
        let mut wire = Wire::connect(&stand, SOCKET).await;
        wire.send(nonsense.as_bytes()).await;
        assert!(wire.receive().await.is_none(), "{nonsense:?}");
    }
    assert_eq!(stand.ctl(["token"]).await.code, 0);
}

#[tokio::test]
async fn a_message_of_a_gibibyte_is_cut_off_and_takes_no_memory() {
    let stand = Stand::signed_in().await;
    let before = stand.peak_memory();
    let flood = async {
        let mut wire = Wire::connect(&stand, SOCKET).await;
        wire.send(b"{\"method\":\"").await;
        let (part, mut sent) = (vec![b'a'; 64 * 1024], 0_usize);
        while sent < 1024 * 1024 * 1024 && wire.0.write_all(&part).await.is_ok() {
            sent += part.len();
        }
        sent
    };
    let sent = unnoticed(&stand, flood).await;
    // What fits into the socket has gone; the broker has read little more than it takes.
    assert!(sent < 4 * 1024 * 1024, "{sent}");
    assert!(stand.peak_memory() - before < SOME_MEMORY, "{} KiB", stand.peak_memory() - before);
}

#[tokio::test]
async fn a_thousand_connections_of_one_process_are_busy_and_nobody_else_notices() {
    platform::allow_open_files(8192);
    let stand = Stand::signed_in().await;
    let flood = async {
        let mut served = Vec::new();
        let refused = loop {
            let mut wire = Wire::connect(&stand, SOCKET).await;
            let answer = wire.call("org.authbroker.Broker1.WhoAmI", json!({})).await;
            if !answer["error"].is_null() {
                break answer;
            }
            served.push(wire);
        };
        assert_eq!(refused["error"], BUSY);
        assert!(refused["parameters"]["hint"].as_str().unwrap().contains("close"), "{refused}");
        let mut more = Vec::new();
        while served.len() + more.len() < 1000 {
            more.push(Wire::connect(&stand, SOCKET).await);
        }
        // Those for which there is not even a seat are let go at once, the others in time.
        for wire in &mut more {
            hung_up(wire).await;
        }
        served
    };
    let mut served = unnoticed(&stand, flood).await;
    assert_eq!(served.len(), 64);
    let again = served[0].call("org.authbroker.Broker1.WhoAmI", json!({})).await;
    assert!(again["parameters"]["uid"].is_u64(), "who has a place keeps it: {again}");
    served.pop();
    let served_again = async {
        loop {
            // The broker hears of the one that left a moment later.
            let app = Client::connect_to(Door::Socket(stand.socket())).await.unwrap();
            match app.who_am_i().await {
                Ok(_) => break,
                Err(error) => assert_eq!(error.code(), Some(ErrorCode::Busy)),
            }
        }
    };
    tokio::time::timeout(LIMIT, served_again).await.expect("who leaves makes room");
}

#[tokio::test]
async fn who_connects_and_leaves_again_and_again_finds_the_door_shut_and_nobody_else_notices() {
    let stand = Stand::signed_in().await;
    let call = message("org.authbroker.Broker1.WhoAmI", &json!({}), false);
    let hasty = async {
        loop {
            for _ in 0..100 {
                drop(Wire::connect(&stand, SOCKET).await);
            }
            let mut wire = Wire::connect(&stand, SOCKET).await;
            // Who is told so, or served, has a place.
            if wire.0.write_all(&call).await.is_err() || wire.receive().await.is_none() {
                break;
            }
        }
    };
    let hasty = tokio::time::timeout(LIMIT, unnoticed(&stand, hasty)).await;
    hasty.expect("it is shut out");
}

#[tokio::test]
async fn calls_far_ahead_wait_with_their_sender_and_are_answered_in_order() {
    const CALLS: usize = 1000;
    let stand = Stand::signed_in().await;
    let before = stand.peak_memory();
    stand.issuer.inject(Fault::refresh_hang(), Times::Always);
    let wire = Wire::connect(&stand, SOCKET).await;
    let (read, mut write) = wire.0.into_split();
    let slow = json!({"force": true, "timeout": 1});
    let slow = message("org.authbroker.Broker1.GetToken", &slow, false);
    let padding = "x".repeat(60 * 1024);
    let send = async {
        write.write_all(&slow).await.unwrap();
        for n in 0..CALLS {
            let method = format!("org.authbroker.Broker1.Nothing{n}");
            write.write_all(&message(&method, &json!({"p": padding}), false)).await.unwrap();
        }
    };
    let receive = async {
        let mut answers = tokio::io::BufReader::new(read);
        let mut text = Vec::new();
        for n in 0..=CALLS {
            text.clear();
            tokio::io::AsyncBufReadExt::read_until(&mut answers, 0, &mut text).await.unwrap();
            let answer: Value = serde_json::from_slice(&text[..text.len() - 1]).unwrap();
            match n {
                0 => assert_eq!(answer["error"], "org.authbroker.Broker1.ProviderUnavailable"),
                n => assert_eq!(
                    answer["parameters"]["method"],
                    format!("org.authbroker.Broker1.Nothing{}", n - 1)
                ),
            }
        }
    };
    let both = async { tokio::join!(send, receive) };
    tokio::time::timeout(LIMIT, both).await.expect("every call is answered");
    assert!(stand.peak_memory() - before < SOME_MEMORY, "{} KiB", stand.peak_memory() - before);
}

#[tokio::test]
async fn a_stream_ends_when_its_peer_goes() {
    let stand = Stand::signed_in().await;
    let watch = message("org.authbroker.Broker1.Watch", &json!({}), true);
    // A stream that stayed would keep its place, and one process has only so many.
    for _ in 0..3 {
        let mut streams = Vec::new();
        while streams.len() < 60 {
            let mut wire = Wire::connect(&stand, SOCKET).await;
            wire.send(&watch).await;
            let first = wire.receive().await.expect("an answer");
            if first["error"] == BUSY {
                // The broker has not heard yet that the others left.
                tokio::task::yield_now().await;
                continue;
            }
            assert_eq!(first["continues"], true, "{first}");
            streams.push(wire);
        }
    }
}

#[tokio::test]
async fn a_stream_whose_peer_calls_on_and_on_is_ended_so_that_its_end_is_heard() {
    let stand = Stand::signed_in().await;
    let mut wire = Wire::connect(&stand, SOCKET).await;
    wire.send(&message("org.authbroker.Broker1.Watch", &json!({}), true)).await;
    for _ in 0..100 {
        // Written as far as the broker takes it.
        let call = message("org.authbroker.Broker1.WhoAmI", &json!({}), false);
        if wire.0.write_all(&call).await.is_err() {
            break;
        }
    }
    hung_up(&mut wire).await;
}

#[tokio::test]
async fn five_hundred_accounts_are_listed_whole() {
    const ACCOUNTS: usize = 500;
    let stand = Stand::new().await;
    stand.write_private("secret", "web-app-secret\n");
    let provider = |n| {
        format!(
            "[provider.service-{n}]\nissuer = {:?}\nclient_id = \"web-app\"\n\
             flow = \"client_credentials\"\nscopes = [\"messages.read\"]\n\
             client_auth = {{ method = \"client_secret_basic\", file = {:?} }}\n",
            stand.issuer.url(),
            stand.path("secret").display(),
        )
    };
    let providers: String = (0..ACCOUNTS).map(provider).collect();
    let text = format!("{ALLOW_ALL}{providers}[vault]\nkey = \"memory\"\n");
    std::fs::write(stand.path("config.toml"), text).unwrap();
    assert_eq!(stand.ctl(["reload"]).await.code, 0);

    let app = stand.app().await;
    let accounts = app.accounts().await.unwrap();
    assert_eq!(accounts.len(), ACCOUNTS);
    let size = serde_json::to_vec(&accounts).unwrap().len();
    assert!(size > 64 * 1024, "more than the broker would take itself: {size}");
    let mut watch = app.watch().await.unwrap();
    assert_eq!(watch.next().await.unwrap().accounts.len(), ACCOUNTS);
    let listed = stand.ctl(["accounts", "--json"]).await.json();
    assert_eq!(listed.as_array().unwrap().len(), ACCOUNTS);
}
