//! A new provider, written into the user's file.
//!
//! 1. The entry is put in words, with a comment for whoever reads the file next.
//! 2. It is appended: what a person has written stays letter for letter, comments included.
//! 3. What the file would then mean is checked as a whole, and only then is it replaced.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use authbroker_core::ids::ProviderName;
use toml::Value;
use url::{Host, Url};

use super::settings::{Flow, ProviderSettings, Settings};
use super::{ConfigError, load_text, parse};
use crate::platform;

/// A provider that is about to be configured.
#[derive(Debug, Clone)]
pub struct NewProvider {
    /// What it is called here.
    pub name: String,
    /// Its issuer identifier.
    pub issuer: String,
    /// Who we are to it. Empty as long as it has not registered us: enough to ask what it offers.
    pub client_id: String,
    /// What a sign-in asks for.
    pub scopes: Vec<String>,
    /// The APIs that tokens are for.
    pub resources: Vec<String>,
    /// How a sign-in goes.
    pub flow: Flow,
    /// The ports that are registered; none for any free one.
    pub ports: Vec<u16>,
    /// Where the browser comes back after a sign-out, if that is registered.
    pub post_logout_path: Option<String>,
    /// How the client proves itself; `None` for a public one.
    pub client_auth: Option<NewClientAuth>,
    /// Certificates trusted besides the machine's own roots.
    pub ca_file: Option<PathBuf>,
    /// How the entry came to be: a comment above it.
    pub remark: String,
}

/// How a client proves itself that has something to prove itself with.
#[derive(Debug, Clone)]
pub struct NewClientAuth {
    /// The method's name, as in the file.
    pub method: &'static str,
    /// The member that names the file: `file` or `key_file`.
    pub member: &'static str,
    /// That file.
    pub file: PathBuf,
}

/// Why a provider was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The entry itself is wrong. Another one may be right.
    #[error("{0}")]
    Entry(ConfigError),
    /// The file is wrong already, or would be with the entry. Mend it first.
    #[error("{0}")]
    Config(ConfigError),
    /// There is one of that name.
    #[error("the configuration has a provider {0} already")]
    Taken(String),
    /// The file cannot be read or replaced.
    #[error("{} cannot be written: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl NewProvider {
    /// What the entry means.
    pub fn settings(&self) -> Result<ProviderSettings, AddError> {
        let wrong = |problems| AddError::Entry(ConfigError(problems));
        // By itself first: it stands in the text as it is.
        ProviderName::parse(&self.name).map_err(|error| wrong(vec![error.to_string()]))?;
        let table = toml::from_str(&self.to_text());
        let table = table.map_err(|error| wrong(vec![error.message().to_owned()]))?;
        let settings = parse(table).map_err(wrong)?;
        let settings = settings.providers.into_values().next();
        settings.ok_or_else(|| wrong(vec!["the entry is empty".to_owned()]))
    }

    /// Whether it can be added to `file`. Nothing is written.
    pub fn check(&self, file: &Path) -> Result<(), AddError> {
        self.text_added_to(file).map(drop)
    }

    /// Appends the entry to `file`, which is made where there is none.
    pub fn add_to(&self, file: &Path) -> Result<(), AddError> {
        let text = self.text_added_to(file)?;
        replace(file, &text).map_err(|source| AddError::Disk { path: file.to_path_buf(), source })
    }

    fn text_added_to(&self, file: &Path) -> Result<String, AddError> {
        self.settings()?;
        let mut text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(AddError::Disk { path: file.to_path_buf(), source }),
        };
        let before = load_text(file, &text).map_err(AddError::Config)?;
        if has(&before, &self.name) {
            return Err(AddError::Taken(self.name.clone()));
        }
        if !text.is_empty() {
            text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
        }
        text.push_str(&self.to_text());
        load_text(file, &text).map_err(AddError::Config)?;
        Ok(text)
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _written = self.write(&mut text);
        text
    }

    fn write(&self, to: &mut String) -> std::fmt::Result {
        let remark: String = self.remark.chars().filter(|c| !c.is_control()).collect();
        writeln!(to, "# {remark}\n[provider.{}]", self.name)?;
        writeln!(to, "issuer = {}", quoted(&self.issuer))?;
        writeln!(to, "client_id = {}", quoted(&self.client_id))?;
        if let Some(auth) = &self.client_auth {
            let file = quoted(&auth.file.to_string_lossy());
            let (method, member) = (auth.method, auth.member);
            writeln!(to, "client_auth = {{ method = \"{method}\", {member} = {file} }}")?;
        }
        if let Some(file) = &self.ca_file {
            writeln!(to, "ca_file = {}", quoted(&file.to_string_lossy()))?;
        }
        if !self.scopes.is_empty() {
            writeln!(to, "scopes = {} # what a sign-in asks for", list(&self.scopes))?;
        }
        let about = "the APIs that tokens are for; the first is the default one";
        match self.resources.as_slice() {
            [] => writeln!(to, "# resources = [\"https://api.example\"] # {about}")?,
            resources => writeln!(to, "resources = {} # {about}", list(resources))?,
        }
        match self.flow {
            Flow::Browser => {}
            Flow::Device => {
                writeln!(to, "flow = \"device\" # sign-ins with a code on another device")?;
            }
            Flow::ClientCredentials => {
                writeln!(to, "flow = \"client_credentials\" # an account without a person")?;
            }
        }
        self.write_redirect(to)
    }

    fn write_redirect(&self, to: &mut String) -> std::fmt::Result {
        let ports: Vec<_> = self.ports.iter().map(u16::to_string).collect();
        let ports = (!ports.is_empty()).then(|| format!("ports = [{}]", ports.join(", ")));
        let path = self.post_logout_path.as_deref();
        let path = path.map(|path| format!("post_logout_path = {}", quoted(path)));
        let members: Vec<_> = ports.into_iter().chain(path).collect();
        if members.is_empty() {
            return Ok(());
        }
        writeln!(to, "redirect = {{ {} }} # as it is registered there", members.join(", "))
    }
}

fn has(settings: &Settings, name: &str) -> bool {
    ProviderName::parse(name).is_ok_and(|name| settings.providers.contains_key(&name))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn list(words: &[String]) -> String {
    Value::from(words.to_vec()).to_string()
}

/// Puts a new text in the place of the old one, with the same mode, durably. A link stays a link.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(&target) {
        new.as_file().set_permissions(old.permissions())?;
    }
    new.as_file().sync_all()?;
    new.persist(&target)?;
    platform::sync_folder(folder)
}

/// Words before a provider's own name that say only what is there.
const COMMON: &[&str] = &[
    "login", "signin", "accounts", "account", "auth", "oauth", "oauth2", "sso", "id", "idp", "www",
];

/// A name for a provider whose issuer is `issuer`, as a person would choose it: the first word of
/// the host that is not only a common one. `None` where there is no such word.
pub fn name_for(issuer: &str) -> Option<String> {
    let url = Url::parse(issuer).ok()?;
    let Host::Domain(host) = url.host()? else { return Some("local".to_owned()) };
    let words: Vec<_> = host.split('.').collect();
    // The last one is a country or a kind, unless it is all there is.
    let named = &words[..words.len().saturating_sub(1).max(1)];
    let word = named.iter().find(|word| !COMMON.contains(word)).or(named.last())?;
    let name = word.to_ascii_lowercase();
    ProviderName::parse(&name).is_ok().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> NewProvider {
        NewProvider {
            name: "acme".to_owned(),
            issuer: "https://login.acme.example".to_owned(),
            client_id: "desktop-broker".to_owned(),
            scopes: vec!["openid".to_owned(), "offline_access".to_owned()],
            resources: Vec::new(),
            flow: Flow::Browser,
            ports: Vec::new(),
            post_logout_path: None,
            client_auth: None,
            ca_file: None,
            remark: "Added by a test.".to_owned(),
        }
    }

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn an_entry_says_what_it_was_given() {
        let settings = NewProvider {
            resources: vec!["https://api.example".to_owned()],
            flow: Flow::Device,
            ports: vec![8400, 8401],
            post_logout_path: Some("/signed-out".to_owned()),
            ca_file: Some("/etc/ssl/acme.pem".into()),
            ..acme()
        };
        let settings = settings.settings().unwrap();
        assert_eq!(settings.scopes.to_string(), "offline_access openid");
        assert_eq!(settings.resources[0].as_str(), "https://api.example");
        assert_eq!((settings.flow, settings.ports), (Flow::Device, vec![8400, 8401]));
        assert_eq!(settings.post_logout.unwrap().path(), "/signed-out");
        assert_eq!(settings.ca_file.as_deref(), Some(Path::new("/etc/ssl/acme.pem")));
    }

    #[test]
    fn what_a_person_wrote_stays_letter_for_letter() {
        for old in [
            "# Mine.\n\n[vault]  # and this\nkey   =  'memory'\n",
            "[provider.other]\nissuer = \"https://b.example\"\nclient_id = \"b\" # no line end",
        ] {
            let (_folder, path) = file(old);
            acme().add_to(&path).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(old), "{text}");
            assert!(text.contains("# Added by a test.\n[provider.acme]\n"), "{text}");
            assert!(has(&load_text(&path, &text).unwrap(), "acme"));
        }
    }

    #[test]
    fn a_name_that_is_taken_is_not_taken_again() {
        let (_folder, path) = file("");
        acme().add_to(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(matches!(acme().add_to(&path), Err(AddError::Taken(name)) if name == "acme"));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_file_that_is_wrong_or_would_be_is_left_as_it_is() {
        for old in [
            "nonsense = 1\n",
            "provider = { b = { issuer = \"https://b.example\", client_id = \"b\" } }\n",
        ] {
            let (_folder, path) = file(old);
            assert!(matches!(acme().add_to(&path), Err(AddError::Config(_))));
            assert_eq!(fs::read_to_string(&path).unwrap(), old);
        }
    }

    #[test]
    fn an_entry_that_is_wrong_by_itself_is_refused_before_the_file_is_looked_at() {
        for wrong in [
            NewProvider { name: "No Name".to_owned(), ..acme() },
            NewProvider { name: "a]\n[vault]\nkey = \"memory\"\n[provider.b".to_owned(), ..acme() },
            NewProvider { issuer: "http://a.example".to_owned(), ..acme() },
            NewProvider { issuer: "\"\n[vault]\nkey = \"memory".to_owned(), ..acme() },
            NewProvider { scopes: vec!["two words".to_owned()], ..acme() },
            NewProvider { flow: Flow::ClientCredentials, ..acme() },
        ] {
            let result = wrong.check(Path::new("/nonexistent/config.toml"));
            assert!(matches!(result, Err(AddError::Entry(_))), "{wrong:?}");
        }
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let (folder, path) = file("");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link.toml");
        symlink(&path, &link).unwrap();
        acme().add_to(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::read_to_string(&path).unwrap().contains("[provider.acme]"));
    }

    #[test]
    fn a_provider_is_called_as_a_person_would_call_it() {
        for (issuer, name) in [
            ("https://login.acme.example", "acme"),
            ("https://accounts.google.com", "google"),
            ("https://id.acme.co.uk/", "acme"),
            ("https://login.microsoftonline.com/tenant/v2.0", "microsoftonline"),
            ("https://keycloak.acme.example/realms/main", "keycloak"),
            ("https://acme.example", "acme"),
            ("http://127.0.0.1:8080", "local"),
            ("http://localhost:8080", "localhost"),
        ] {
            assert_eq!(name_for(issuer).as_deref(), Some(name), "{issuer}");
        }
        assert_eq!(name_for("https://1password.example"), None);
        assert_eq!(name_for("nonsense"), None);
    }
}
