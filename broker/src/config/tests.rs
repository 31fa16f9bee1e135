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
    for (line, word) in [
        (
            "[policy]\nunverified = \"ask\"",
            "[policy] unverified = \"ask\" is not supported by this version yet",
        ),
        ("[[rule]]\ndecision = \"allow\"", "[[rule]] is not supported"),
    ] {
        let text = problems(line);
        assert!(text.contains(word), "{text}");
    }
    assert!(load(Some(&write("[policy]\nunverified = \"allow\"").path), true).is_ok());
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
