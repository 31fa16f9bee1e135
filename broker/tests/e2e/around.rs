//! What belongs around the tool: manual pages, the configuration shown and described.

use serde_json::{Value, json};

use crate::stand::{run, tool};

#[tokio::test]
async fn the_manual_has_a_page_for_each_command_and_for_each_name_that_units_refer_to() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let ran = run(tool().arg("man").arg(&pages)).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
    let page = |name: &str| {
        let text = std::fs::read_to_string(pages.join(name));
        text.unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let units = ["user/authbroker.service", "user/authbroker.socket"].map(|unit| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/linux/systemd");
        std::fs::read_to_string(format!("{root}/{unit}")).unwrap()
    });
    let named = units.iter().flat_map(|unit| unit.split_whitespace());
    let named: Vec<_> = named.filter_map(|word| word.split_once("man:")).collect();
    assert!(!named.is_empty());
    for (_, name) in named {
        page(&name.replace("(1)", ".1"));
    }
    assert!(page("brokerd.1").contains("ready\\-fd"));
    assert!(page("brokerctl.1").contains("the vault is locked"), "the exit codes");
    assert!(page("brokerctl-exec.1").contains("Run a program"));
    assert!(page("brokerctl-provider-add.1").contains("client\\-id"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let ran = run(tool().args(["man", "/proc/nowhere"])).await;
    ran.assert_fails(1, "/proc/nowhere cannot be written to", "a folder of your own");
}

const CONFIG: &str = "\
# Mine.
[provider.acme]
issuer = \"https://login.acme.example\"
client_id = \"c\"
redirect = { ports = [8400] }

[refresh]
ahead = \"2m\"

[[rule]]
app = \"*\"
account = \"acme\"
decision = \"ask\"
";

#[tokio::test]
async fn each_setting_in_force_is_shown_with_who_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, CONFIG).unwrap();
    let shown = run(tool().args(["config", "show", "--json", "--config"]).arg(&file)).await.json();
    let entry = |key: &str| {
        let found = shown.as_array().unwrap().iter().find(|entry| entry["key"] == key);
        found.unwrap_or_else(|| panic!("no {key} in {shown}")).clone()
    };
    for (key, value, line) in [
        ("provider.acme.issuer", json!("https://login.acme.example"), 3),
        ("provider.acme.redirect.ports", json!([8400]), 5),
        ("refresh.ahead", json!("2m"), 8),
        ("rule[0]", json!({"app": "*", "account": "acme", "decision": "ask"}), 10),
    ] {
        let entry = entry(key);
        assert_eq!((&entry["value"], &entry["line"]), (&value, &json!(line)), "{key}");
        assert_eq!(entry["file"], file.to_str().unwrap());
    }
    for (key, value) in [
        ("vault.key", json!("keyring")),
        ("policy.unverified", json!("ask")),
        ("provider.acme.dpop", json!("auto")),
        ("provider.acme.scopes", json!(["email", "offline_access", "openid", "profile"])),
    ] {
        let entry = entry(key);
        assert_eq!((&entry["value"], &entry["line"]), (&value, &Value::Null), "{key}");
    }
    let plain = run(tool().args(["config", "show", "--config"]).arg(&file)).await;
    let line = format!("refresh.ahead\t\"2m\"\t{}:8", file.display());
    assert!(plain.line().lines().any(|known| known == line), "{plain:?}");
    std::fs::write(&file, "[vault]\nkeys = \"memory\"\n").unwrap();
    let wrong = run(tool().args(["config", "show", "--config"]).arg(&file)).await;
    wrong.assert_fails(7, "config.toml:2: unknown key `keys`; did you mean `key`?", "mend");
}

#[tokio::test]
async fn the_schema_is_one_document() {
    let schema = run(tool().args(["config", "schema"])).await.json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema["properties"]["provider"]["description"].is_string(), "for whoever hovers");
}

#[tokio::test]
async fn a_shells_script_asks_this_program() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(tool().args(["completions", shell])).await;
        assert!(script.line().contains("_BROKERCTL_COMPLETE"), "{script:?}");
    }
    assert_eq!(run(tool().args(["completions", "tcsh"])).await.code, 2);
}
