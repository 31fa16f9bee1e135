//! What this program is called by: tools find their credential helpers by a name, and a link of that
//! name is all that is needed.

use std::ffi::OsString;
use std::path::Path;

/// Names that stand for a command.
const NAMES: [(&str, &str); 2] =
    [("git-credential-authbroker", "git"), ("docker-credential-authbroker", "docker")];

/// The command line, with what the program's name stands for.
pub(crate) fn words() -> Vec<OsString> {
    spell_out(std::env::args_os().collect())
}

fn spell_out(mut words: Vec<OsString>) -> Vec<OsString> {
    let name = words.first().and_then(|path| Path::new(path).file_stem()).map(OsString::from);
    let meant = NAMES.iter().find(|(known, _)| name.as_deref() == Some(known.as_ref()));
    if let Some((_, tool)) = meant {
        words.splice(..1, ["brokerctl", "credential", tool].map(OsString::from));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(words: &[&str]) -> Vec<String> {
        let words = spell_out(words.iter().map(OsString::from).collect());
        words.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn a_link_with_a_helpers_name_is_that_helper() {
        let docker = spelt(&["/home/a/bin/docker-credential-authbroker", "get"]);
        assert_eq!(docker, ["brokerctl", "credential", "docker", "get"]);
        let git = spelt(&["git-credential-authbroker", "erase"]);
        assert_eq!(git, ["brokerctl", "credential", "git", "erase"]);
        assert_eq!(spelt(&["brokerctl", "token"]), ["brokerctl", "token"]);
    }
}
