//! What a person meets who writes a configuration file.

use super::*;

struct Written {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn write(text: &str) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    Written { _folder: folder, path }
}

fn problems(text: &str) -> String {
    load(Some(&write(text).path), true).unwrap_err().to_string()
}

const ACME: &str = "[provider.acme]\nissuer = \"https://login.acme.example\"\nclient_id = \"x\"\n";

#[test]
fn three_lines_make_a_provider_and_the_rest_has_defaults() {
    let settings = load(Some(&write(ACME).path), true).unwrap();
    let acme = settings.providers.values().next().unwrap();
    assert_eq!(acme.scopes.to_string(), "email offline_access openid profile");
    assert_eq!(acme.redirect.uri(1), "http://127.0.0.1:1/callback");
    assert_eq!(settings.vault_key, VaultKey::Keyring);
}

#[test]
fn an_unknown_key_names_file_line_and_the_nearest_known_key() {
    let text = problems("[provider.acme]\nisuer = \"https://a.example\"\n");
    assert!(text.contains("config.toml:2: unknown key `isuer`; did you mean `issuer`?"), "{text}");
}

#[test]
fn a_wrong_type_names_its_line() {
    let text = problems("\n[provider.acme]\nclient_id = 5\n");
    assert!(text.contains("config.toml:3: invalid type"), "{text}");
}

#[test]
fn a_wrong_value_names_the_right_ones() {
    let text = problems(&format!("{ACME}target = \"ressource\"\n"));
    assert!(text.contains(":4: unknown value `ressource`; did you mean `resource`?"), "{text}");
}

#[test]
fn every_problem_is_told_at_once() {
    let text =
        problems("[provider.a]\nissuer = \"http://a.example\"\n[provider.b]\nclient_id = \"b\"\n");
    assert!(
        text.contains("[provider.a] issuer: \"http://a.example\" must begin with https://"),
        "{text}"
    );
    assert!(text.contains("[provider.a] client_id is missing"), "{text}");
    assert!(text.contains("[provider.b] issuer is missing"), "{text}");
}

#[test]
fn what_is_not_supported_yet_is_said_in_words() {
    let text = problems("[service.backup]\nunit = \"backup.service\"");
    assert!(text.contains("[service.…] is not supported by this version yet"), "{text}");
}

#[test]
fn the_vaults_key_has_five_places_and_another_word_names_them() {
    let key = |word: &str| {
        load(Some(&write(&format!("[vault]\nkey = {word:?}\n")).path), true)
            .map(|settings| settings.vault_key)
    };
    for (word, place) in [
        ("keyring", VaultKey::Keyring),
        ("credential:vault", VaultKey::Credential("vault".into())),
        ("file:/etc/key", VaultKey::File("/etc/key".into())),
        ("passphrase", VaultKey::Passphrase),
        ("memory", VaultKey::Memory),
    ] {
        assert_eq!(key(word), Ok(place.clone()));
        assert_eq!(place.describe(), word);
    }
    for (word, said) in [
        ("file:relative", "is not keyring, credential:NAME, file:/ABSOLUTE/PATH"),
        ("keychain", "is not keyring"),
        ("credential:../key", "is no credential's name"),
        ("credential:", "is no credential's name"),
    ] {
        let text = key(word).unwrap_err().to_string();
        assert!(text.contains("[vault] key: ") && text.contains(said), "{text}");
    }
}

#[test]
fn a_parameter_that_the_broker_sets_itself_cannot_be_added() {
    let text = problems(&format!("{ACME}authorize = {{ state = \"x\" }}\n"));
    assert!(text.contains("the broker sets state itself"), "{text}");
}

#[test]
fn a_file_that_was_named_must_be_there_and_the_usual_one_need_not() {
    let missing = Path::new("/nonexistent/authbroker/config.toml");
    assert!(load(Some(missing), true).is_err());
    assert!(load(Some(missing), false).is_ok());
}

#[test]
fn a_later_file_wins_by_key() {
    let table = |text: &str| toml::from_str::<Table>(text).unwrap();
    let mut below = table("[provider.acme]\nissuer = \"https://a.example\"\nclient_id = \"a\"");
    lay_over(&mut below, table("[provider.acme]\nclient_id = \"b\""));
    let settings = parse(below).unwrap();
    let acme = settings.providers.values().next().unwrap();
    assert_eq!((acme.issuer.as_str(), acme.client_id.as_str()), ("https://a.example", "b"));
}

mod policy {
    use authbroker_core::policy::Decision;

    use super::*;

    fn policy(text: &str) -> authbroker_core::policy::Policy {
        load(Some(&write(text).path), true).unwrap().policy
    }

    const RULE: &str = "[[rule]]\napp = { exe = \"/bin/a\" }\ndecision = \"allow\"\n";

    #[test]
    fn without_a_word_everybody_is_asked_about() {
        let policy = policy("");
        assert_eq!((policy.unverified, policy.verified), (Decision::Ask, Decision::Ask));
    }

    #[test]
    fn a_word_for_each_kind_of_caller() {
        let policy = policy("[policy]\nunverified = \"deny\"\nverified = \"allow\"");
        assert_eq!((policy.unverified, policy.verified), (Decision::Deny, Decision::Allow));
        let text = problems("[policy]\nunverified = \"alow\"");
        assert!(text.contains(":2: unknown value `alow`; did you mean `allow`?"), "{text}");
    }

    #[test]
    fn a_rule_knows_its_file_and_its_line() {
        let written = write(&format!("# mine\n\n{RULE}\n# more\n{RULE}"));
        let rules = load(Some(&written.path), true).unwrap().policy.rules;
        let lines: Vec<_> = rules.iter().map(|rule| rule.place.line).collect();
        assert_eq!(lines, [3, 8]);
        assert_eq!(*rules[0].place.file, *written.path.to_str().unwrap());
    }

    #[test]
    fn an_unknown_key_of_a_rule_or_its_app_names_line_and_the_nearest_one() {
        let text = problems(&format!("{RULE}resource = [\"urn:a\"]\n"));
        assert!(text.contains(":4: unknown key `resource`; did you mean `resources`?"), "{text}");
        let text = problems("[[rule]]\napp = { flatpack = \"a\" }\ndecision = \"allow\"\n");
        assert!(text.contains(":2: unknown key `flatpack`; did you mean `flatpak`?"), "{text}");
    }

    #[test]
    fn what_would_widen_a_rule_by_mistake_is_an_error() {
        for (line, word) in [
            ("decision = \"allow\"", "missing field `app`"),
            ("app = {}\ndecision = \"allow\"", "app = \"*\" means every app"),
            ("app = \"all\"\ndecision = \"allow\"", "\"*\" for every app"),
            ("app = \"*\"", "missing field `decision`"),
            ("app = \"*\"\ndecision = \"allow\"\nscopes = []", "scopes names none"),
            ("app = \"*\"\ndecision = \"allow\"\nresources = []", "resources names none"),
            ("app = \"*\"\ndecision = \"allow\"\naccount = \"\"", "account names none"),
            ("app = { exe = \"curl\" }\ndecision = \"allow\"", "is not the whole path"),
            ("app = { flatpak = \"\" }\ndecision = \"allow\"", "flatpak = \"\" names nothing"),
            (
                "app = { exe = \"/a\", snap = \"a\" }\ndecision = \"allow\"",
                "say one of flatpak, snap",
            ),
        ] {
            let text = problems(&format!("[[rule]]\n{line}\n"));
            assert!(text.contains(".toml:") && text.contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn every_wrong_rule_is_told_at_once() {
        let wrong = "[[rule]]\napp = \"*\"\ndecision = \"deny\"\nscopes = []\n";
        let text = problems(&wrong.repeat(2));
        assert!(text.contains(":1: [[rule]] scopes") && text.contains(":5: [[rule]]"), "{text}");
    }

    #[test]
    fn the_systems_rules_stand_before_the_users_and_are_never_overridden() {
        let layer = |name: &str| checked(Path::new(name), RULE);
        let mut rules = Vec::new();
        for mut layer in [layer("/etc/system.toml"), layer("user.toml")].map(Result::unwrap) {
            rules.append(&mut layer.rules);
            assert!(!layer.table.contains_key("rule"), "they are not laid over each other");
        }
        let places: Vec<_> = rules.iter().map(|rule| rule.place.to_string()).collect();
        assert_eq!(places, ["/etc/system.toml:1", "user.toml:1"]);
    }

    #[test]
    fn a_manifest_says_what_an_app_needs_and_a_broken_one_lets_nothing_through() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("org.acme.Mail.toml", "scopes = [\"mail.read\"]\nreason = \"shows your mail\"\n");
        put("org.acme.Tool.toml", "app = { exe = \"/usr/bin/tool\" }\n");
        put("org.acme.Wrong.toml", "scope = [\"mail.read\"]\n");
        put("README", "not a manifest");
        let found = manifests::in_folder(folder.path());
        let ids: Vec<_> = found.iter().map(|manifest| manifest.id.as_str()).collect();
        assert_eq!(ids, ["org.acme.Mail", "org.acme.Tool", "org.acme.Wrong"]);
        assert_eq!(found[0].reason.as_deref(), Some("shows your mail"));
        assert!(found[0].reach.resources.is_none() && found[1].app.is_some());
        assert!(found[2].reach.resources.as_ref().unwrap().is_empty());
    }
}

#[test]
fn every_example_in_the_documentation_is_a_good_configuration() {
    let pages =
        [include_str!("../../../README.md"), include_str!("../../../docs/configuration.md")];
    let examples = pages.iter().flat_map(|page| page.split("```toml\n").skip(1));
    let examples: Vec<_> = examples.map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() > 4, "where are they?");
    for example in examples {
        load(Some(&write(example).path), true).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
}
