//! The sockets, spoken by two Varlink clients that nobody here wrote: the Python `varlink` package
//! and the Rust crate `zlink`.

use serde_json::{Value, json};
use zlink::tokio::unix::connect;
use zlink::varlink_service::Proxy as _;

use crate::world::{API, Session, issuer, run};

impl Session {
    /// Calls a method with the Python client, which first asks for the interface's description and
    /// parses it. Gives what the method answered, or the error.
    async fn python_varlink(&self, socket: &str, method: &str, parameters: Value) -> Value {
        let mut command = self.python("varlink_call.py");
        command.arg(self.runtime_dir().join(socket)).arg(method).arg(parameters.to_string());
        run(command).await.json()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the varlink package for Python: ./test.sh runs it"]
async fn python_reads_the_descriptions_and_calls_the_methods() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    let call =
        async |method, parameters| session.python_varlink("broker.sock", method, parameters).await;

    let info = call("org.varlink.service.GetInfo", json!({})).await;
    assert_eq!(info["product"], "brokerd");
    assert_eq!(info["interfaces"], json!(["org.varlink.service", "org.authbroker.Broker1"]));
    let me = call("org.authbroker.Broker1.WhoAmI", json!({})).await;
    assert_eq!(me["uid"], rustix::process::getuid().as_raw());
    let accounts = call("org.authbroker.Broker1.ListAccounts", json!({})).await;
    assert_eq!(accounts, json!({"accounts": []}));
    let refused = call("org.authbroker.Broker1.GetToken", json!({"account": "dev"})).await;
    assert_eq!(refused["error"], "org.authbroker.Broker1.NoSuchAccount");
    assert_eq!(refused["parameters"]["hint"], "brokerctl login dev");

    session.sign_in().await;
    let wanted = json!({"account": "dev", "resource": [API], "min_ttl": 60});
    let token = call("org.authbroker.Broker1.GetToken", wanted).await;
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["resource"], json!([API]));
    let accounts = call("org.authbroker.Broker1.ListAccounts", json!({})).await;
    assert_eq!(accounts["accounts"][0]["id"], token["account"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the varlink package for Python: ./test.sh runs it"]
async fn python_finds_the_admin_interface_on_the_admin_socket_only() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    let status = "org.authbroker.Admin1.Status";

    let refused = session.python_varlink("broker.sock", status, json!({})).await;
    assert_eq!(refused["error"], "org.varlink.service.InterfaceNotFound", "{refused}");
    let answer = session.python_varlink("admin.sock", status, json!({})).await;
    assert_eq!(answer["providers"], json!([{"name": "dev", "issuer": issuer.url()}]));
    assert_eq!(answer["bus"], false);
}

/// The interface as a Rust program writes it down for zlink.
#[zlink::proxy("org.authbroker.Broker1")]
trait Broker1 {
    async fn who_am_i(&mut self) -> zlink::Result<Result<Identity, BrokerError>>;
    async fn list_accounts(&mut self) -> zlink::Result<Result<Accounts, BrokerError>>;
    async fn get_token(
        &mut self,
        account: &str,
        min_ttl: Option<u32>,
    ) -> zlink::Result<Result<Token, BrokerError>>;
}

#[derive(Debug, serde::Deserialize)]
struct Identity {
    uid: u32,
    level_name: String,
}

#[derive(Debug, serde::Deserialize)]
struct Accounts {
    accounts: Vec<Value>,
}

#[derive(Debug, serde::Deserialize)]
struct Token {
    access_token: String,
    account: String,
}

#[derive(Debug, zlink::ReplyError)]
#[zlink(interface = "org.authbroker.Broker1")]
enum BrokerError {
    NoSuchAccount { message: String, hint: String },
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zlink_client_calls_the_methods() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "memory");
    let _broker = session.brokerd().await;
    let mut broker = connect(session.runtime_dir().join("broker.sock")).await.unwrap();

    let me = broker.who_am_i().await.unwrap().unwrap();
    let uid = rustix::process::getuid().as_raw();
    assert_eq!((me.uid, me.level_name.as_str()), (uid, "described"));
    assert!(broker.list_accounts().await.unwrap().unwrap().accounts.is_empty());
    let BrokerError::NoSuchAccount { message, hint } =
        broker.get_token("dev", None).await.unwrap().unwrap_err();
    assert_eq!(message, "nobody is signed in as or at \"dev\"");
    assert_eq!(hint, "brokerctl login dev");

    session.sign_in().await;
    let token = broker.get_token("dev", Some(60)).await.unwrap().unwrap();
    assert_eq!(token.access_token.split('.').count(), 3);
    assert!(token.account.starts_with("dev-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn zlink_reads_what_the_sockets_say_of_themselves() {
    let session = Session::without_bus();
    let _broker = session.brokerd().await;
    let expected = [
        ("broker.sock", vec!["org.varlink.service", "org.authbroker.Broker1"]),
        (
            "admin.sock",
            vec!["org.varlink.service", "org.authbroker.Broker1", "org.authbroker.Admin1"],
        ),
    ];
    for (socket, interfaces) in expected {
        let mut service = connect(session.runtime_dir().join(socket)).await.unwrap();
        let info = service.get_info().await.unwrap().unwrap();
        assert_eq!(info.interfaces, interfaces);
        for name in interfaces {
            let asked = service.get_interface_description(name.try_into().unwrap()).await;
            let description = asked.unwrap().unwrap();
            let interface = description.parse().unwrap();
            assert_eq!(interface.name(), name);
            assert!(interface.methods().count() > 1, "{name}");
        }
    }
}

/// What a container does that was given a minted socket's folder and nothing else of this machine's
/// session: it speaks to the broker from namespaces of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs bwrap and the varlink package for Python: ./test.sh runs it"]
async fn a_minted_socket_works_where_its_folder_is_mounted_and_goes_on_after_a_restart() {
    let (session, issuer) = (Session::without_bus(), issuer().await);
    session.configure(issuer.url(), "file:key");
    let key = format!("file:{}", session.path("key").display());
    session.add_to_configuration("file:key", &key);
    let broker = session.brokerd().await;
    session.sign_in().await;
    let create = ["socket", "create", "box", "--resource", API];
    let socket = session.brokerctl(&create).await.good();
    let folder = std::path::Path::new(&socket).parent().unwrap().to_owned();

    let python = session.python("varlink_call.py");
    let python: Vec<_> = std::iter::once(python.as_std().get_program())
        .chain(python.as_std().get_args())
        .map(std::ffi::OsStr::to_owned)
        .collect();
    let mut container = session.command("bwrap");
    container.args(["--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]);
    container.args(["--tmpfs"]).arg(session.path("run")).args(["--tmpfs", "/mnt", "--bind"]);
    container.arg(&folder).args(["/mnt", "sh", "-c"]);
    // It stays while the broker restarts, and so does what is mounted in it.
    container.arg("while read -r method; do \"$@\" /mnt/broker.sock \"$method\" '{}'; done");
    container.arg("sh").args(python);
    let mut container = session.start_program("container", container).await;

    container.say("org.authbroker.Broker1.WhoAmI").await;
    let me = container.json().await;
    assert_eq!((&me["level"], &me["app"]), (&json!(4), &json!("socket:box")), "{me}");
    container.say("org.authbroker.Broker1.GetToken").await;
    assert_eq!(container.json().await["resource"], json!([API]));
    assert!(broker.end().await.success());
    let _broker = session.brokerd().await;
    container.say("org.authbroker.Broker1.GetToken").await;
    assert_eq!(container.json().await["resource"], json!([API]));
}
