//! Crowds of processes at the socket. What one process alone can do is in `e2e/hostile.rs`.

use crate::world::{Running, Session, issuer};

impl Session {
    /// Starts so many processes with so many connections each; gives how many of these are served
    /// and how many are not.
    async fn crowd(&self, processes: usize, connections: usize) -> (Running, usize, usize) {
        let mut command = self.python("crowd.py");
        command.arg(self.runtime_dir().join("broker.sock"));
        command.args([processes.to_string(), connections.to_string()]);
        let mut crowd = self.start_program("crowd", command).await;
        let line = crowd.line().await;
        let (served, refused) = line.split_once(' ').unwrap();
        (crowd, served.parse().unwrap(), refused.parse().unwrap())
    }

    /// Another app, with a connection of its own, gets the token at hand.
    async fn another_app_gets_its_token(&self) {
        let socket = self.runtime_dir().join("broker.sock");
        let token = self.brokerctl(&["token", "--socket", socket.to_str().unwrap()]).await.good();
        assert_eq!(token.split('.').count(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python: ./test.sh runs it"]
async fn a_thousand_processes_with_a_connection_each_keep_nobody_out() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    session.sign_in().await;
    let (crowd, served, _) = session.crowd(1000, 1).await;
    assert_eq!(served, 1000);
    session.another_app_gets_its_token().await;
    assert!(crowd.ended().await.success());
    session.another_app_gets_its_token().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python: ./test.sh runs it"]
async fn greedy_processes_keep_nobody_out_though_they_open_all_that_they_can() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    session.sign_in().await;
    // More than the 4,096 places of one user.
    let (crowd, served, refused) = session.crowd(70, 64).await;
    assert_eq!(served + refused, 70 * 64);
    assert!((3000..4096).contains(&served), "{served}");
    session.another_app_gets_its_token().await;
    assert!(crowd.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python: ./test.sh runs it"]
async fn where_few_files_may_be_open_the_broker_keeps_what_it_needs_itself() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let limited = "ulimit -n 640 && exec \"$0\" --no-dbus --ready-fd 1 --log debug";
    let mut command = session.command("sh");
    command.args(["-c", limited, env!("CARGO_BIN_EXE_brokerd")]);
    let mut broker = session.start_program("brokerd", command).await;
    broker.line().await;
    session.sign_in().await;
    let (crowd, served, refused) = session.crowd(40, 10).await;
    assert!(served < 128 && refused > 0, "{served} served, {refused} not");
    // A renewal needs files of its own, and the admin socket has places of its own.
    session.brokerctl(&["token", "--force"]).await.good();
    session.another_app_gets_its_token().await;
    assert!(crowd.ended().await.success());
    assert!(!broker.errors().contains("could not be accepted"), "{}", broker.errors());
}
