//! Scopes as people would put them.

use crate::failure::printable;
use crate::scope::ScopeSet;

/// What scopes mean, one phrase each, so that "it wants to …" can stand before them. Of those that
/// a provider made up, only the name is known.
pub fn plain_words(scopes: &ScopeSet) -> Vec<String> {
    if scopes.is_empty() {
        return vec!["do everything that was granted when you signed in".to_owned()];
    }
    scopes.iter().map(phrase).collect()
}

/// OpenID Connect Core §5.4 and §11.
fn phrase(scope: &str) -> String {
    let known = match scope {
        "openid" => "know which account is yours",
        "profile" => "see your name, your picture and what else is in your profile",
        "email" => "see your e-mail address",
        "address" => "see your postal address",
        "phone" => "see your telephone number",
        "offline_access" => "stay signed in while you are away",
        other => return format!("do what \"{}\" allows", printable(other)),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_reads_as_a_sentence_and_what_is_not_by_its_name() {
        let words = |text| plain_words(&ScopeSet::parse(text).unwrap());
        assert_eq!(words("email"), ["see your e-mail address"]);
        assert_eq!(words("mail.send"), ["do what \"mail.send\" allows"]);
        assert_eq!(words(""), ["do everything that was granted when you signed in"]);
    }
}
