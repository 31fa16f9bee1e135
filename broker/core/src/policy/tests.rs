//! What a person relies on who writes a rule, or answers a question.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::caller::{App, Description, Identity, Terminal};

const MAIL: &str = "https://mail.example";
const FILES: &str = "https://files.example";
const NOW: UnixTime = UnixTime::from_secs(1000);

fn caller(identity: Identity) -> Caller {
    Caller { identity, ..Caller::of_user(1000, Door::Socket) }
}

fn exe(path: &str) -> Caller {
    caller(Identity::Executable(path.into()))
}

fn flatpak(id: &str) -> Caller {
    caller(Identity::Flatpak(id.into()))
}

fn resources(words: &[&str]) -> Resources {
    words.iter().map(|word| Resource::parse(word).unwrap()).collect()
}

fn scopes(words: &str) -> ScopeSet {
    ScopeSet::parse(words).unwrap()
}

fn reach(apis: &[&str], words: &str) -> Reach {
    Reach::of(&resources(apis), &scopes(words))
}

fn rule(line: usize, app: AppMatch, reach: Reach, decision: Decision) -> Rule {
    let place = RulePlace { file: "config.toml".into(), line };
    Rule { place, app, account: AccountMatch::Any, reach, decision }
}

/// A rule about every app.
fn anybody(line: usize, reach: Reach, decision: Decision) -> Rule {
    rule(line, AppMatch::default(), reach, decision)
}

fn policy(rules: Vec<Rule>) -> Policy {
    Policy { rules, ..Policy::default() }
}

fn grant(id: u64, caller: &Caller, reach: Reach, ruling: Ruling) -> Grant {
    Grant {
        id: GrantId(id),
        app: caller.app(),
        terminal: None,
        account: AccountMatch::Any,
        reach,
        ruling,
        lasting: Lasting::Always,
        granted: NOW,
    }
}

/// What is decided on a request of this caller for the one account there is.
fn verdict(caller: &Caller, asked: &Reach, policy: &Policy, grants: &[Grant]) -> Verdict {
    let account = AccountId::parse("acme-k3v9q2ma").unwrap();
    let provider = ProviderName::parse("acme").unwrap();
    let resources = asked.resources.clone().unwrap_or_default();
    let scopes = asked.scopes.clone().unwrap_or_default();
    let query = Query {
        caller,
        account: &account,
        provider: &provider,
        resources: &resources,
        scopes: &scopes,
    };
    decide(&query, policy, grants, NOW)
}

fn decision(caller: &Caller, asked: &Reach, rules: Vec<Rule>) -> Decision {
    verdict(caller, asked, &policy(rules), &[]).decision
}

#[test]
fn the_first_rule_that_matches_counts_and_is_named() {
    let curl = exe("/usr/bin/curl");
    let rules = vec![
        rule(
            3,
            App::parse("exe:/usr/bin/wget", 1000).unwrap().into(),
            reach(&[], ""),
            Decision::Deny,
        ),
        anybody(7, reach(&[MAIL], ""), Decision::Allow),
        anybody(9, reach(&[], ""), Decision::Deny),
    ];
    let verdict = verdict(&curl, &reach(&[MAIL], "read"), &policy(rules), &[]);
    assert_eq!(verdict.decision, Decision::Allow);
    let Basis::Rule(place) = verdict.basis else { panic!("{:?}", verdict.basis) };
    assert_eq!(place.to_string(), "config.toml:7");
}

#[test]
fn without_a_rule_the_policy_asks_and_tells_proven_callers_from_others() {
    let mut policy = Policy { unverified: Decision::Deny, ..Policy::default() };
    let asked = reach(&[MAIL], "read");
    let told = verdict(&exe("/usr/bin/curl"), &asked, &policy, &[]);
    assert_eq!((told.decision, told.basis), (Decision::Deny, Basis::Default { verified: false }));
    let told = verdict(&flatpak("org.acme.Mail"), &asked, &policy, &[]);
    assert_eq!((told.decision, told.basis), (Decision::Ask, Basis::Default { verified: true }));
    policy.verified = Decision::Allow;
    assert_eq!(verdict(&flatpak("org.acme.Mail"), &asked, &policy, &[]).decision, Decision::Allow);
}

#[test]
fn who_hides_is_given_nothing_whatever_is_allowed_to_everybody() {
    let hidden = caller(Identity::Hidden);
    let mut open = policy(vec![anybody(1, reach(&[], ""), Decision::Allow)]);
    open.unverified = Decision::Allow;
    let yes = [grant(1, &hidden, reach(&[], ""), Ruling::Allow)];
    let told = verdict(&hidden, &reach(&[MAIL], "read"), &open, &yes);
    assert_eq!((told.decision, told.basis), (Decision::Deny, Basis::Default { verified: false }));
}

#[test]
fn what_a_rule_leaves_out_it_does_not_narrow() {
    let all = vec![anybody(1, reach(&[], ""), Decision::Allow)];
    for asked in [reach(&[MAIL, FILES], "read write"), reach(&[], ""), reach(&[MAIL], "")] {
        assert_eq!(decision(&exe("/x"), &asked, all.clone()), Decision::Allow, "{asked:?}");
    }
}

#[test]
fn who_names_no_scope_asks_for_all_and_a_rule_for_some_does_not_allow_that() {
    let some = vec![anybody(1, reach(&[MAIL], "read"), Decision::Allow)];
    assert_eq!(decision(&exe("/x"), &reach(&[MAIL], "read"), some.clone()), Decision::Allow);
    assert_eq!(decision(&exe("/x"), &reach(&[MAIL], ""), some), Decision::Ask);
}

#[test]
fn a_refusal_of_one_scope_is_met_by_who_asks_for_all_of_them() {
    let rules = vec![
        anybody(1, reach(&[MAIL], "send"), Decision::Deny),
        anybody(2, reach(&[], ""), Decision::Allow),
    ];
    let asked = |words| decision(&exe("/x"), &reach(&[MAIL], words), rules.clone());
    assert_eq!(asked("read"), Decision::Allow);
    for evading in ["", "send", "read send"] {
        assert_eq!(asked(evading), Decision::Deny, "{evading:?}");
    }
    let told = verdict(&exe("/x"), &reach(&[MAIL], ""), &policy(rules), &[]);
    assert_eq!(told.scope.as_deref(), Some("send"), "the one that counted is told");
}

#[test]
fn a_refusal_of_one_api_is_met_by_who_asks_for_several_or_writes_it_otherwise() {
    let rules = vec![
        anybody(1, reach(&["https://api.example/mail"], ""), Decision::Deny),
        anybody(2, reach(&[], ""), Decision::Allow),
    ];
    let asked = |apis: &[&str]| decision(&exe("/x"), &reach(apis, "read"), rules.clone());
    assert_eq!(asked(&["https://api.example/files"]), Decision::Allow);
    assert_eq!(asked(&["https://api.example/mail", "https://api.example/files"]), Decision::Deny);
    for evading in [
        "https://API.example:443/mail/",
        "https://api.example/mail/inbox",
        "https://api.example/",
        "https://api.example/MAIL?x",
    ] {
        assert_eq!(asked(&[evading]), Decision::Deny, "{evading}");
    }
    assert_eq!(asked(&[]), Decision::Deny, "a token for no API in particular may be for that one");
}

#[test]
fn an_allowed_api_is_allowed_by_the_letter() {
    let rules = vec![anybody(1, reach(&["https://api.example/v1"], ""), Decision::Allow)];
    for other in ["https://api.example/v1/", "https://api.example", "https://api.example/v1/x"] {
        let told = decision(&exe("/x"), &reach(&[other], "read"), rules.clone());
        assert_eq!(told, Decision::Ask, "{other}");
    }
}

#[test]
fn two_rules_allow_together_what_each_allows_and_nothing_across() {
    let rules = vec![
        anybody(1, reach(&[MAIL], "read"), Decision::Allow),
        anybody(2, reach(&[FILES], "write"), Decision::Allow),
    ];
    let asked = |apis: &[&str], words| decision(&exe("/x"), &reach(apis, words), rules.clone());
    assert_eq!(asked(&[MAIL], "read"), Decision::Allow);
    assert_eq!(asked(&[FILES], "write"), Decision::Allow);
    assert_eq!(asked(&[MAIL, FILES], "read write"), Decision::Ask, "nobody allowed mail:write");
}

#[test]
fn a_question_about_one_thing_does_not_carry_another_that_is_refused() {
    let rules = vec![
        anybody(1, reach(&[MAIL], ""), Decision::Ask),
        anybody(2, reach(&[FILES], ""), Decision::Deny),
    ];
    assert_eq!(decision(&exe("/x"), &reach(&[MAIL, FILES], "read"), rules), Decision::Deny);
}

#[test]
fn a_rule_about_an_executable_is_advice_and_never_about_a_sandboxed_app() {
    let app = AppMatch::from(App::parse("/usr/bin/mail", 1000).unwrap());
    assert_eq!(app.level(), crate::caller::Level::Described);
    let mut inside = flatpak("org.evil.App");
    // In its sandbox an app can put anything at that path.
    inside.description = Description { executable: Some("/usr/bin/mail".into()), ..<_>::default() };
    let rules = vec![rule(1, app, reach(&[], ""), Decision::Allow)];
    assert_eq!(decision(&exe("/usr/bin/mail"), &reach(&[], ""), rules.clone()), Decision::Allow);
    assert_eq!(decision(&inside, &reach(&[], ""), rules), Decision::Ask);
}

#[test]
fn a_star_means_any_of_that_kind_and_a_uid_means_all_of_that_user() {
    let any_flatpak = AppMatch { identity: Identity::of_kind("flatpak", "*"), uid: None };
    assert!(any_flatpak.matches(&flatpak("org.acme.Mail")));
    assert!(!any_flatpak.matches(&exe("/usr/bin/mail")));
    let user = AppMatch { identity: None, uid: Some(1000) };
    assert!(user.matches(&flatpak("org.acme.Mail")) && user.matches(&exe("/x")));
    assert!(!user.matches(&Caller::of_user(1001, Door::Socket)));
}

#[test]
fn an_account_is_meant_by_its_id_or_its_providers_name() {
    for (word, meant) in [("*", true), ("acme", true), ("acme-k3v9q2ma", true), ("acm", false)] {
        let account = AccountMatch::new(word);
        let mut rule = anybody(1, reach(&[], ""), Decision::Allow);
        rule.account = account;
        let told = decision(&exe("/x"), &reach(&[MAIL], ""), vec![rule]);
        assert_eq!(told == Decision::Allow, meant, "{word}");
    }
}

#[test]
fn an_answer_holds_for_its_app_until_it_runs_out() {
    let curl = exe("/usr/bin/curl");
    let mut yes = grant(1, &curl, reach(&[MAIL], "read"), Ruling::Allow);
    let asked = reach(&[MAIL], "read");
    let told = verdict(&curl, &asked, &Policy::default(), &[yes.clone()]);
    assert_eq!((told.decision, told.basis), (Decision::Allow, Basis::Grant(GrantId(1))));
    let other = verdict(&exe("/usr/bin/wget"), &asked, &Policy::default(), &[yes.clone()]);
    assert_eq!(other.decision, Decision::Ask);
    yes.lasting = Lasting::Until(NOW);
    assert_eq!(verdict(&curl, &asked, &Policy::default(), &[yes]).decision, Decision::Ask);
}

#[test]
fn an_answer_given_in_one_terminal_does_not_hold_in_another() {
    let terminal = |leader| Some(Terminal { leader, started: 5 });
    let in_terminal = |leader| {
        let description = Description { terminal: terminal(leader), ..Description::default() };
        Caller { description, ..exe("/usr/bin/curl") }
    };
    let mut yes = grant(1, &in_terminal(7), reach(&[], ""), Ruling::Allow);
    yes.terminal = terminal(7);
    let told = |caller: &Caller| {
        let asked = reach(&[MAIL], "");
        verdict(caller, &asked, &Policy::default(), std::slice::from_ref(&yes)).decision
    };
    assert_eq!(told(&in_terminal(7)), Decision::Allow);
    assert_eq!(told(&in_terminal(8)), Decision::Ask);
    assert_eq!(told(&exe("/usr/bin/curl")), Decision::Ask);
}

#[test]
fn the_last_answer_counts_and_a_refusal_reaches_as_far_as_a_rule_does() {
    let curl = exe("/usr/bin/curl");
    let (all, mail) = (reach(&[], ""), reach(&[MAIL], ""));
    let yes = |id| grant(id, &curl, all.clone(), Ruling::Allow);
    let no = |id| grant(id, &curl, mail.clone(), Ruling::Deny);
    let told = |apis: &[&str], grants: &[Grant]| {
        verdict(&curl, &reach(apis, "read"), &Policy::default(), grants).decision
    };
    assert_eq!(told(&[MAIL], &[no(1), yes(2)]), Decision::Allow);
    assert_eq!(told(&[MAIL, FILES], &[yes(1), no(2)]), Decision::Deny);
    assert_eq!(told(&["https://mail.example/inbox"], &[yes(1), no(2)]), Decision::Deny);
    assert_eq!(told(&[FILES], &[yes(1), no(2)]), Decision::Allow);
}

#[test]
fn a_rule_stands_above_answers_and_answers_above_the_default() {
    let curl = exe("/usr/bin/curl");
    let asked = reach(&[MAIL], "read");
    let yes = [grant(1, &curl, reach(&[], ""), Ruling::Allow)];
    let no = [grant(1, &curl, reach(&[], ""), Ruling::Deny)];
    let with = |decision, grants: &[Grant]| {
        let rules = vec![anybody(1, reach(&[], ""), decision)];
        verdict(&curl, &asked, &policy(rules), grants).decision
    };
    assert_eq!(with(Decision::Deny, &yes), Decision::Deny);
    assert_eq!(with(Decision::Allow, &no), Decision::Allow);
    assert_eq!(with(Decision::Ask, &yes), Decision::Allow, "it answers the question");
    let open = Policy { unverified: Decision::Allow, ..Policy::default() };
    assert_eq!(verdict(&curl, &asked, &open, &no).decision, Decision::Deny);
    let shut = Policy { unverified: Decision::Deny, ..Policy::default() };
    assert_eq!(verdict(&curl, &asked, &shut, &yes).decision, Decision::Allow);
}

fn manifest(id: &str, reach: Reach) -> Manifest {
    let reason = Some("shows your mail".to_owned());
    Manifest { file: "apps/org.acme.Mail.toml".into(), id: id.to_owned(), app: None, reach, reason }
}

#[test]
fn nobody_is_talked_into_more_than_the_app_says_it_needs() {
    let mail = flatpak("org.acme.Mail");
    let manifests = vec![manifest("org.acme.Mail", reach(&[MAIL], "read"))];
    let capped = Policy { manifests, verified: Decision::Allow, ..Policy::default() };
    let all = [grant(1, &mail, reach(&[], ""), Ruling::Allow)];
    assert_eq!(verdict(&mail, &reach(&[MAIL], "read"), &capped, &all).decision, Decision::Allow);
    for beyond in [reach(&[MAIL], "send"), reach(&[FILES], "read"), reach(&[MAIL], "")] {
        let told = verdict(&mail, &beyond, &capped, &all);
        assert_eq!(told.decision, Decision::Deny, "{beyond:?}");
        assert_eq!(told.basis, Basis::Manifest(Arc::from("apps/org.acme.Mail.toml")));
    }
    let other = flatpak("org.acme.Files");
    assert_eq!(verdict(&other, &reach(&[FILES], "read"), &capped, &[]).decision, Decision::Allow);
    assert_eq!(capped.reason_of(&mail), Some("shows your mail"));
    assert_eq!(capped.reason_of(&other), None);
}

#[test]
fn a_rule_stands_above_what_an_app_says_of_itself() {
    let mail = flatpak("org.acme.Mail");
    let rules = vec![anybody(1, reach(&[FILES], ""), Decision::Allow)];
    let manifests = vec![manifest("org.acme.Mail", reach(&[MAIL], "read"))];
    let policy = Policy { rules, manifests, ..Policy::default() };
    assert_eq!(verdict(&mail, &reach(&[FILES], "x"), &policy, &[]).decision, Decision::Allow);
}

#[test]
fn a_person_at_the_admin_tool_is_asked_for_nothing() {
    let admin = Caller::of_user(1000, Door::Admin);
    let rules = vec![anybody(1, reach(&[], ""), Decision::Deny)];
    let told = verdict(&admin, &reach(&[MAIL], ""), &policy(rules), &[]);
    assert_eq!((told.decision, told.basis), (Decision::Allow, Basis::AdminDoor));
}

#[test]
fn an_account_is_known_to_who_may_have_something_of_it() {
    let mail = flatpak("org.acme.Mail");
    let account = AccountId::parse("acme-k3v9q2ma").unwrap();
    let provider = ProviderName::parse("acme").unwrap();
    let knows = |rules: Vec<Rule>, grants: &[Grant]| {
        may_have_some(&mail, (&account, &provider), &policy(rules), grants, NOW)
    };
    assert!(!knows(vec![], &[]));
    assert!(!knows(vec![anybody(1, reach(&[MAIL], "read"), Decision::Ask)], &[]));
    assert!(knows(vec![anybody(1, reach(&[MAIL], "read"), Decision::Allow)], &[]));
    assert!(knows(vec![], &[grant(1, &mail, reach(&[MAIL], "read"), Ruling::Allow)]));
    let shadowed = vec![
        anybody(1, reach(&[], ""), Decision::Deny),
        anybody(2, reach(&[MAIL], "read"), Decision::Allow),
    ];
    assert!(!knows(shadowed, &[]));
}

#[test]
fn an_app_reads_back_as_it_is_written() {
    for text in ["flatpak:org.acme.Mail", "snap:mail", "unit:a.service", "exe:/bin/a", "uid:7"] {
        assert_eq!(App::parse(text, 1000).unwrap().to_string(), text);
    }
    assert_eq!(App::parse("/bin/a", 1000), App::parse("exe:/bin/a", 1000));
    for wrong in ["", "flatpak:", "org.acme.Mail", "flatpack:x", "uid:x"] {
        assert!(App::parse(wrong, 1000).is_err(), "{wrong:?}");
    }
}

// Few names, so that rules, answers and requests meet.
const APIS: &[&str] = &[MAIL, FILES, "https://mail.example/inbox", "urn:acme:billing"];

fn any_reach() -> impl Strategy<Value = Reach> {
    let apis = prop::sample::subsequence(APIS, 0..=3);
    let words = prop::sample::subsequence(&["read", "write", "send"][..], 0..=2);
    (apis, words).prop_map(|(apis, words)| reach(&apis, &words.join(" ")))
}

/// One that names both APIs and scopes.
fn named_reach() -> impl Strategy<Value = Reach> {
    let apis = prop::sample::subsequence(APIS, 1..=3);
    let words = prop::sample::subsequence(&["read", "write", "send"][..], 1..=2);
    (apis, words).prop_map(|(apis, words)| reach(&apis, &words.join(" ")))
}

fn any_decision() -> impl Strategy<Value = Decision> {
    prop_oneof![Just(Decision::Allow), Just(Decision::Ask), Just(Decision::Deny)]
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let rules = prop::collection::vec((any_reach(), any_decision()), 0..5);
    let made = |rules: Vec<(Reach, Decision)>| {
        rules.into_iter().enumerate().map(|(i, (reach, word))| anybody(i, reach, word)).collect()
    };
    let manifests = prop::option::of(any_reach()).prop_map(|reach| {
        reach.into_iter().map(|reach| manifest("org.acme.Mail", reach)).collect::<Vec<_>>()
    });
    (rules, any_decision(), any_decision(), manifests).prop_map(
        move |(rules, unverified, verified, manifests)| Policy {
            rules: made(rules),
            unverified,
            verified,
            manifests,
        },
    )
}

fn any_grants() -> impl Strategy<Value = Vec<Grant>> {
    let ruling = prop_oneof![Just(Ruling::Allow), Just(Ruling::Deny)];
    prop::collection::vec((any_reach(), ruling), 0..4).prop_map(|grants| {
        let made = |(id, (reach, ruling))| grant(id, &flatpak("org.acme.Mail"), reach, ruling);
        (1..).zip(grants).map(made).collect()
    })
}

fn both(a: &Reach, b: &Reach) -> Reach {
    let mut resources = a.resources.clone().unwrap_or_default();
    resources.extend(b.resources.clone().unwrap_or_default());
    let scopes = a.scopes.clone().unwrap_or_default();
    Reach::of(&resources, &scopes.union(&b.scopes.clone().unwrap_or_default()))
}

proptest! {
    /// Whatever is refused is refused in company, too.
    #[test]
    fn asking_for_more_is_never_decided_more_kindly(
        policy in any_policy(), grants in any_grants(), some in named_reach(), more in any_reach(),
    ) {
        let caller = flatpak("org.acme.Mail");
        let alone = verdict(&caller, &some, &policy, &grants).decision;
        let together = verdict(&caller, &both(&some, &more), &policy, &grants).decision;
        prop_assert!(together >= alone, "{together:?} < {alone:?}");
    }

    /// Whatever is refused by name is refused to who names nothing.
    #[test]
    fn leaving_it_open_is_never_decided_more_kindly(
        policy in any_policy(), grants in any_grants(), some in any_reach(),
    ) {
        let caller = flatpak("org.acme.Mail");
        let named = verdict(&caller, &some, &policy, &grants).decision;
        let no_scope = Reach { scopes: None, ..some.clone() };
        let no_api = Reach { resources: None, ..some };
        for open in [no_scope, no_api, Reach::default()] {
            prop_assert!(verdict(&caller, &open, &policy, &grants).decision >= named, "{open:?}");
        }
    }

    /// A refusal in the first place holds against all that stands below it.
    #[test]
    fn nothing_below_a_refusal_softens_it(
        mut policy in any_policy(), grants in any_grants(), refused in any_reach(), asked in any_reach(),
    ) {
        policy.rules.insert(0, anybody(0, refused.clone(), Decision::Deny));
        let caller = flatpak("org.acme.Mail");
        let whole = both(&refused, &asked);
        prop_assert_eq!(verdict(&caller, &whole, &policy, &grants).decision, Decision::Deny);
    }

    /// The whole is decided as the strictest of its pieces.
    #[test]
    fn a_request_is_decided_as_its_strictest_piece(
        policy in any_policy(), grants in any_grants(), asked in named_reach(),
    ) {
        let caller = flatpak("org.acme.Mail");
        let mut strictest = Decision::Allow;
        for api in asked.resources.iter().flatten() {
            for scope in asked.scopes.iter().flat_map(ScopeSet::iter) {
                let piece = reach(&[api.as_str()], scope);
                strictest = strictest.max(verdict(&caller, &piece, &policy, &grants).decision);
            }
        }
        prop_assert_eq!(verdict(&caller, &asked, &policy, &grants).decision, strictest);
    }

    /// A rule that comes later changes nothing where an earlier one is final.
    #[test]
    fn a_later_rule_changes_nothing_that_an_earlier_one_decides(
        mut policy in any_policy(), asked in any_reach(), late in any_reach(), word in any_decision(),
    ) {
        policy.rules.push(anybody(90, reach(&[], ""), Decision::Deny));
        let caller = flatpak("org.acme.Mail");
        let before = verdict(&caller, &asked, &policy, &[]);
        policy.rules.push(anybody(99, late, word));
        prop_assert_eq!(verdict(&caller, &asked, &policy, &[]).decision, before.decision);
    }
}
