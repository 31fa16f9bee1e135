//! The configuration's JSON Schema, for editors that complete and check TOML.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::File;

/// The schema of a configuration file (JSON Schema 2020-12). It knows the keys, the kinds of values
/// and the words; whether an issuer is a good one, only the program knows.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<File>();
    schema.insert("title".to_owned(), Value::from("authbroker/config.toml"));
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Result<(), String> {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let document: Value = toml::from_str(text).unwrap();
        validator.validate(&document).map_err(|error| error.to_string())
    }

    #[test]
    fn the_schema_accepts_every_example_of_the_documentation() {
        let pages =
            [include_str!("../../../README.md"), include_str!("../../../docs/configuration.md")];
        let examples = pages.iter().flat_map(|page| page.split("```toml\n").skip(1));
        let examples: Vec<_> = examples.map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(examples.len() > 4, "where are they?");
        for example in examples {
            judge(example).unwrap_or_else(|error| panic!("{error}\n{example}"));
        }
    }

    #[test]
    fn a_whole_configuration_is_right() {
        let everything = include_str!("tests/whole.toml");
        judge(everything).unwrap();
        // The schema and the program know the same keys.
        toml::from_str::<File>(everything).unwrap();
    }

    #[test]
    fn what_the_program_would_refuse_is_refused() {
        for (wrong, words) in [
            ("[provider.acme]\nisuer = \"https://a.example\"", "isuer"),
            ("[providers.acme]", "providers"),
            ("[provider.acme]\nflow = \"bowser\"", "bowser"),
            ("[provider.acme]\nredirect = { port = [1] }", "port"),
            ("[provider.acme]\nscopes = \"openid\"", "openid"),
            ("[[rule]]\napp = \"all\"\ndecision = \"allow\"", "all"),
            ("[[rule]]\napp = \"*\"\ndecision = \"maybe\"", "maybe"),
            ("[credential.\"a.example\"]\npassword = \"hunter2\"", "password"),
        ] {
            let error = judge(wrong).expect_err(wrong);
            assert!(error.contains(words), "{error}");
        }
    }
}
