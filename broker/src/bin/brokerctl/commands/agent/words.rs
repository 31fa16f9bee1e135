//! A question in a terminal, in words.

use authbroker_client::wire::consent::Question;

/// What can be typed.
pub(super) const CHOICES: &str = "May it?
  y        yes, this once
  l        yes, until the session is locked
  m        yes, for a month (30 days)
  a        yes, always
  n        no
Type a letter, then Enter:";

/// The answer that a typed line stands for. An empty line is none: Enter alone says nothing.
pub(super) fn answer(line: &str) -> Option<&'static str> {
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" | "once" => Some("once"),
        "l" | "until-locked" => Some("until-locked"),
        "m" | "30-days" => Some("30-days"),
        "a" | "always" => Some("always"),
        "n" | "no" => Some("no"),
        _ => None,
    }
}

/// What was said, and how to take it back.
pub(super) fn said(answer: &str) -> &'static str {
    match answer {
        "once" => "It may, this once.",
        "until-locked" => "It may, until the session is locked.",
        "30-days" => "It may, for 30 days. To take that back: brokerctl grants",
        "always" => "It may. To take that back: brokerctl grants",
        _ => "It may not, and is not to ask again for 30 days. To take that back: brokerctl grants",
    }
}

/// All that a person needs to know, and how many more questions wait behind it.
pub(super) fn question(question: &Question, more: usize) -> String {
    let mut lines = vec![String::new(), heading(more)];
    let mut line = |name: &str, text: &str| lines.push(format!("  {name:<9}{text}"));
    line("app", &app(question));
    if !question.verified {
        line("", "NOT VERIFIED: any program of yours can look like it");
    }
    line("known by", &question.source);
    if let Some(executable) = question.executable.as_ref().filter(|it| !question.app.contains(*it))
    {
        line("runs", executable);
    }
    if question.in_terminal {
        line("where", "in one terminal session: the answer is about that alone");
    }
    line("account", &account(question));
    for resource in &question.resource {
        line("at", resource);
    }
    for (n, want) in question.wants.iter().enumerate() {
        line(if n == 0 { "wants to" } else { "" }, want);
    }
    if let Some(reason) = &question.reason {
        line("it says", &format!("\"{reason}\""));
    }
    lines.join("\n")
}

fn heading(more: usize) -> String {
    match more {
        0 => "An app asks for access to your account:".to_owned(),
        1 => "An app asks for access to your account (another question waits):".to_owned(),
        more => format!("An app asks for access to your account ({more} more questions wait):"),
    }
}

fn app(question: &Question) -> String {
    let pid = question.pid.map(|pid| format!(", process {pid}")).unwrap_or_default();
    format!("{}{pid}", question.app)
}

fn account(question: &Question) -> String {
    if question.account.is_empty() {
        return format!("whichever you sign in with at {}", question.provider);
    }
    format!("{} at {}", question.account, question.provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curl() -> Question {
        Question {
            id: 1,
            app: "exe:/usr/bin/curl".to_owned(),
            source: "the path of the executable".to_owned(),
            executable: Some("/usr/bin/curl".to_owned()),
            pid: Some(7),
            provider: "acme".to_owned(),
            account: "alice".to_owned(),
            resource: vec!["https://api.example".to_owned()],
            wants: vec!["see your e-mail address".to_owned(), "do what \"x\" allows".to_owned()],
            reason: Some("To show mail".to_owned()),
            ..Question::default()
        }
    }

    #[test]
    fn a_question_says_who_wants_what_of_which_account_and_how_well_that_is_known() {
        let expected = "
An app asks for access to your account (another question waits):
  app      exe:/usr/bin/curl, process 7
           NOT VERIFIED: any program of yours can look like it
  known by the path of the executable
  account  alice at acme
  at       https://api.example
  wants to see your e-mail address
           do what \"x\" allows
  it says  \"To show mail\"";
        assert_eq!(question(&curl(), 1), expected);
    }

    #[test]
    fn an_app_that_something_vouches_for_is_not_called_in_doubt() {
        let mail = Question { app: "flatpak:org.acme.Mail".into(), verified: true, ..curl() };
        let text = question(&mail, 0);
        assert!(text.contains("flatpak:org.acme.Mail, process 7\n"), "{text}");
        assert!(text.contains("runs     /usr/bin/curl"), "{text}");
    }

    #[test]
    fn enter_alone_and_a_slip_of_the_keyboard_are_no_answer() {
        for nothing in ["", " ", "x", "ok", "yn"] {
            assert_eq!(answer(nothing), None, "{nothing:?}");
        }
        assert_eq!(answer(" Y\r"), Some("once"));
        assert_eq!(answer("no"), Some("no"));
    }
}
