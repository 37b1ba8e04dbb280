//! The configuration: one TOML file, environment variables over it, flags over those.
//!
//! What enters are texts from three places ([`source`]); what leaves is a [`Config`] whose values have been
//! understood ([`value`]) and that knows where each came from ([`show`]).

mod key;
mod manual;
mod show;
mod source;
mod value;

pub use key::Key;
pub use manual::manual;
pub use source::{Given, Origin};
pub use value::LogFormat;

use ipnet::IpNet;
use source::Sources;
use stave_app::{KeySource, MailServer, MailSettings};
use stave_domain::{Invalid, Secret};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::LazyLock,
};
use tracing::level_filters::LevelFilter;
use url::Url;

/// How this Stave is to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder in which Stave keeps what it owns.
    pub data: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The public address; `None` follows from where it listens.
    pub url: Option<Url>,
    /// The proxies on other machines that say for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// The database; `None` is a SQLite file in the data folder.
    pub database_url: Option<Secret>,
    /// Where zips are kept; `None` is a folder in the data folder.
    pub storage_url: Option<String>,
    /// What outgoing requests may reach besides public addresses.
    pub outbound_allow: Vec<IpNet>,
    /// Where the key that seals secrets comes from.
    pub key: KeySource,
    /// By which server mail goes out; `None` sends none.
    pub mail: Option<MailSettings>,
    /// The Composer repository that every new organization mirrors; `None` is none.
    pub mirror_url: Option<Url>,
    /// Where the sources of the guides can be changed; `None` shows no link.
    pub docs_edit_url: Option<Url>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// How much is logged.
    pub log_level: LevelFilter,
    /// The values that are not defaults, as they were given.
    pub given: BTreeMap<Key, Given>,
}

static LOCALHOST: LazyLock<Url> = LazyLock::new(|| Url::parse("http://localhost").expect("a URL"));

/// Everything that is wrong with a configuration, one sentence per line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    fn unless_empty(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// The defaults, with everything kept in this folder.
    #[must_use]
    pub fn in_folder(data: PathBuf) -> Self {
        Self {
            data,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            url: None,
            trusted_proxies: Vec::new(),
            database_url: None,
            storage_url: None,
            outbound_allow: Vec::new(),
            key: KeySource::DataFolder,
            mail: None,
            mirror_url: value::mirror_url(Key::MirrorUrl.words().default.trim_matches('`'))
                .unwrap_or_default(),
            docs_edit_url: None,
            log_format: LogFormat::Human,
            log_level: LevelFilter::INFO,
            given: BTreeMap::new(),
        }
    }

    /// Reads the flags that were given, these environment variables, and the TOML file that they name or that lies
    /// in the working directory.
    pub fn read(
        flags: BTreeMap<Key, String>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut reading = Reading { sources: Sources::gather(flags, variables)?, problems: Vec::new() };
        let defaults = Self::in_folder(PathBuf::from("./stave-data"));
        let config = Self {
            data: reading.value(Key::Data, |path| Ok(PathBuf::from(path))).unwrap_or(defaults.data),
            listen: reading.value(Key::Listen, value::listen).unwrap_or(defaults.listen),
            url: reading.value(Key::Url, value::public_url),
            trusted_proxies: reading.value(Key::TrustedProxies, value::ranges).unwrap_or_default(),
            database_url: reading.database_url(),
            storage_url: reading.value(Key::StorageUrl, value::storage_url),
            outbound_allow: reading.value(Key::OutboundAllow, value::ranges).unwrap_or_default(),
            key: reading.sealing_key(),
            mail: reading.mail(),
            mirror_url: reading.value(Key::MirrorUrl, value::mirror_url).unwrap_or(defaults.mirror_url),
            docs_edit_url: reading.value(Key::DocsEditUrl, value::docs_edit_url),
            log_format: reading.value(Key::LogFormat, value::log_format).unwrap_or(defaults.log_format),
            log_level: reading.value(Key::LogLevel, value::log_level).unwrap_or(defaults.log_level),
            given: reading.sources.given,
        };
        ConfigError::unless_empty(reading.problems)?;
        Ok(config)
    }

    /// Who gave a value.
    #[must_use]
    pub fn origin(&self, key: Key) -> Origin {
        self.given.get(&key).map_or(Origin::Default, |given| given.origin.clone())
    }

    /// The address that people type when Stave listens on this one: the public address if one was given. Nobody can
    /// open `0.0.0.0`, so it becomes `localhost`.
    #[must_use]
    pub fn public_url(&self, listening: SocketAddr) -> Url {
        let mut url = self.url.clone().unwrap_or_else(|| LOCALHOST.clone());
        if self.url.is_none() {
            // Neither can fail: the scheme is http, and both are values that a URL can hold.
            _ = url.set_port(Some(listening.port()));
            if !listening.ip().is_unspecified() {
                _ = url.set_ip_host(listening.ip());
            }
        }
        url
    }

    /// What an operator should know about this configuration though it works.
    #[must_use]
    pub fn advice(&self) -> Vec<&'static str> {
        let mut advice = Vec::new();
        if self.url.is_none() && self.listen.ip().is_unspecified() {
            advice.push(
                "Stave listens on every address, but nobody said under which one people reach it. Give the public address \
                 with `url`.",
            );
        }
        if self.is_password_in_flag(Key::DatabaseUrl) {
            advice.push(
                "The password in --database-url can be read in the list of processes. Give it with STAVE_DATABASE_URL or \
                 `database-url-file`.",
            );
        }
        if self.is_password_in_flag(Key::SmtpUrl) {
            advice.push(
                "The password in --smtp-url can be read in the list of processes. Give it with STAVE_SMTP_URL or \
                 `smtp-password-file`.",
            );
        }
        advice
    }

    /// A password stands before the host, or among the parameters.
    fn is_password_in_flag(&self, key: Key) -> bool {
        let given = self.given.get(&key).filter(|given| matches!(given.origin, Origin::Flag(_)));
        let parsed = given.and_then(|given| Url::parse(given.text.expose()).ok());
        parsed.is_some_and(|url| {
            url.password().is_some() || url.query_pairs().any(|(parameter, _)| parameter == "password")
        })
    }
}

/// A configuration that is being read: what was given, and what is wrong with it.
struct Reading {
    sources: Sources,
    problems: Vec<String>,
}

impl Reading {
    fn value<T>(&mut self, key: Key, understand: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        let understood = understand(self.sources.given.get(&key)?.text.expose());
        self.understood(key, understood)
    }

    fn understood<T>(&mut self, key: Key, understood: Result<T, Invalid>) -> Option<T> {
        let origin = self.sources.given.get(&key).map_or(Origin::Default, |given| given.origin.clone());
        understood.map_err(|invalid| self.problems.push(format!("{} ({origin}): {invalid}", key.name()))).ok()
    }

    fn database_url(&mut self) -> Option<Secret> {
        self.only_one(Key::DatabaseUrl, Key::DatabaseUrlFile);
        let from_file = self
            .value(Key::DatabaseUrlFile, |path| value::database_url(value::secret_in_file(path)?.expose()));
        self.value(Key::DatabaseUrl, value::database_url).or(from_file)
    }

    fn sealing_key(&mut self) -> KeySource {
        self.only_one(Key::SealingKey, Key::SealingKeyFile);
        let from_file = self.value(Key::SealingKeyFile, |path| Ok(KeySource::File(PathBuf::from(path))));
        let given = self.value(Key::SealingKey, |text| Ok(KeySource::Given(Secret::new(text))));
        given.or(from_file).unwrap_or(KeySource::DataFolder)
    }

    fn mail(&mut self) -> Option<MailSettings> {
        let server = self.value(Key::SmtpUrl, str::parse::<MailServer>);
        let password = self.value(Key::SmtpPasswordFile, value::secret_in_file);
        let from = self.value(Key::MailFrom, |text| Ok(text.to_owned()));
        let [has_server, has_password, has_from] = [Key::SmtpUrl, Key::SmtpPasswordFile, Key::MailFrom]
            .map(|key| self.sources.given.contains_key(&key));
        if !has_server {
            let alone = [(Key::SmtpPasswordFile, has_password), (Key::MailFrom, has_from)];
            if let Some((alone, _)) = alone.into_iter().find(|(_, is_given)| *is_given) {
                let name = alone.name();
                self.problems.push(format!(
                    "{name} is given, but no mail server. Name one with smtp-url, or remove {name}."
                ));
            }
            return None;
        }
        let server = match password {
            Some(password) => self.understood(Key::SmtpPasswordFile, server?.with_password(password))?,
            None => server?,
        };
        if server.lacks_password() && !has_password {
            self.problems.push(
                "smtp-url names a user without a password. Add the password there, or give it with smtp-password-file.".into(),
            );
        }
        let Some(from) = from else {
            self.problems.push(
                "smtp-url is given, but not from which address mail comes. Give it with mail-from.".into(),
            );
            return None;
        };
        self.understood(Key::MailFrom, MailSettings::new(server, &from))
    }

    /// Two keys that say the same thing: nobody should have to guess which one holds.
    fn only_one(&mut self, key: Key, other: Key) {
        if let (Some(first), Some(second)) = (self.sources.given.get(&key), self.sources.given.get(&other)) {
            self.problems.push(format!(
                "Both {} ({}) and {} ({}) are given. Remove one of them.",
                key.name(),
                first.origin,
                other.name(),
                second.origin
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
    }

    fn read(flags: &[(Key, &str)], pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect(), variables(pairs))
    }

    /// A file with this text, and the variable that names it.
    fn read_file(toml: &str) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, toml).unwrap();
        let path = file.path().to_str().unwrap();
        read(&[], &[("STAVE_CONFIG", path)]).map_err(|error| error.to_string().replace(path, "stave.toml"))
    }

    #[test]
    fn flags_win_over_the_environment_and_it_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "data = \"file\"\nlisten = \"127.0.0.1:1\"\nlog-level = \"warn\"\n").unwrap();
        let path = file.path().to_str().unwrap();
        let flags = [(Key::Data, "flag"), (Key::Config, path)];
        let config = read(
            &flags,
            &[("STAVE_DATA", "environment"), ("STAVE_LISTEN", "127.0.0.1:2"), ("STAVE_URL", "")],
        )
        .unwrap();
        assert_eq!(config.data, PathBuf::from("flag"));
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.log_level, LevelFilter::WARN);
        assert_eq!(config.origin(Key::Data), Origin::Flag("data".to_owned()));
        assert_eq!(config.origin(Key::Listen), Origin::Environment("STAVE_LISTEN".to_owned()));
        assert_eq!(config.origin(Key::LogLevel), Origin::File { path: path.into(), line: 3 });
        assert_eq!(config.origin(Key::Url), Origin::Default);
    }

    #[test]
    fn a_file_is_read_strictly() {
        let cases = [
            (
                "\n# a comment\ndatas = \"x\"",
                "stave.toml line 3: Stave knows no key `datas`. It knows data, listen,",
            ),
            ("config = \"x\"", "stave.toml line 1: Stave knows no key `config`"),
            ("data = \"x\"\n[log]\nlevel = \"info\"", "stave.toml line 2: Stave knows no key `log`"),
            ("data = 7", "stave.toml line 1: `data` is a text in quotes, such as: data ="),
            ("outbound-allow = [7]", "`outbound-allow` is a list of texts in quotes"),
            ("data = \"a\"\ndata = \"b\"", "stave.toml line 2: this is not TOML: duplicate key"),
            ("listen = \"here\"", "listen (file stave.toml line 1): \"here\" is no address with a port."),
        ];
        for (toml, sentence) in cases {
            let refusal = read_file(toml).unwrap_err();
            assert!(refusal.contains(sentence), "{toml}: {refusal}");
        }
        let config = read_file("outbound-allow = [\"10.0.0.0/8\", \"::1\"]\n").unwrap();
        assert_eq!(config.outbound_allow.len(), 2);
        assert!(
            read(&[(Key::Config, "no/such.toml")], &[])
                .unwrap_err()
                .to_string()
                .contains("no/such.toml cannot be read")
        );
    }

    #[test]
    fn unknown_variables_are_refused_but_for_those_of_tests() {
        assert!(read(&[], &[("STAVE_TEST_X", "1"), ("STAVELY", "1"), ("PATH", "/bin")]).is_ok());
        let refusal = read(&[], &[("STAVE_DATABSE_URL", "x")]).unwrap_err().to_string();
        assert!(refusal.starts_with("Stave knows no environment variable STAVE_DATABSE_URL."), "{refusal}");
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let refusal = read(&[(Key::Listen, "x"), (Key::LogFormat, "y")], &[("STAVE_URL", "z")])
            .unwrap_err()
            .to_string();
        assert_eq!(refusal.lines().count(), 3, "{refusal}");
    }

    #[test]
    fn a_secret_has_one_place_and_is_never_shown() {
        let key = "ab".repeat(32);
        let database = "postgres://stave:hunter2@127.0.0.1/stave";
        let config = read(&[(Key::DatabaseUrl, database)], &[("STAVE_KEY", &key)]).unwrap();
        assert!(matches!(&config.key, KeySource::Given(secret) if secret.expose() == key));
        assert_eq!(config.advice().len(), 1, "a password in a flag");
        let shown = config.show() + &format!("{config:?}");
        assert!(!shown.contains("hunter2") && !shown.contains(&key), "{shown}");

        let both = read(&[(Key::SealingKeyFile, "k")], &[("STAVE_KEY", &key)]).unwrap_err().to_string();
        assert_eq!(
            both,
            "Both key (environment STAVE_KEY) and key-file (flag --key-file) are given. Remove one of them."
        );
    }

    #[test]
    fn the_database_address_can_lie_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let refusal = read(&[], &[("STAVE_DATABASE_URL_FILE", path)]).unwrap_err().to_string();
        assert!(refusal.contains("is empty"), "{refusal}");
        std::fs::write(&file, "postgres://stave:hunter2@127.0.0.1/stave\n").unwrap();
        let config = read(&[], &[("STAVE_DATABASE_URL_FILE", path)]).unwrap();
        assert_eq!(
            config.database_url.as_ref().map(Secret::expose),
            Some("postgres://stave:hunter2@127.0.0.1/stave")
        );
        assert!(config.advice().is_empty());
        assert!(!config.show().contains("hunter2"));
    }

    #[test]
    fn mail_is_set_up_whole_or_not_at_all() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "hunter2\n").unwrap();
        let path = file.path().to_str().unwrap();
        let (url, from) =
            (("STAVE_SMTP_URL", "smtps://ada@mail.example.com"), ("STAVE_MAIL_FROM", "stave@example.com"));
        let config = read(&[], &[url, from, ("STAVE_SMTP_PASSWORD_FILE", path)]).unwrap();
        assert!(config.mail.is_some());
        assert!(!format!("{config:?} {}", config.show()).contains("hunter2"));
        assert!(read(&[], &[]).unwrap().mail.is_none());

        let with_password = "smtp://ada:hunter2@mail.example.com";
        for (pairs, sentence) in [
            (vec![from], "mail-from is given, but no mail server."),
            (vec![("STAVE_SMTP_URL", "smtp://127.0.0.1")], "Give it with mail-from."),
            (vec![url, from], "smtp-url names a user without a password."),
            (
                vec![("STAVE_SMTP_URL", "mail.example.com"), from],
                "smtp-url (environment STAVE_SMTP_URL): The address of the",
            ),
            (
                vec![("STAVE_SMTP_URL", "smtp://127.0.0.1"), ("STAVE_MAIL_FROM", "Stave")],
                "mail-from (environment STAVE_MAIL_FROM): This is no",
            ),
            (
                vec![("STAVE_SMTP_URL", with_password), from, ("STAVE_SMTP_PASSWORD_FILE", path)],
                "has a password already",
            ),
        ] {
            let refusal = read(&[], &pairs).unwrap_err().to_string();
            assert!(refusal.contains(sentence) && !refusal.contains("hunter2"), "{refusal}");
        }
        let flags = [(Key::SmtpUrl, with_password), (Key::MailFrom, "stave@example.com")];
        assert_eq!(read(&flags, &[]).unwrap().advice().len(), 1, "a password in a flag");
    }

    #[test]
    fn people_get_an_address_they_can_open() {
        let address =
            |listen: &str| Config::in_folder(PathBuf::new()).public_url(listen.parse().unwrap()).to_string();
        assert_eq!(address("127.0.0.1:8080"), "http://127.0.0.1:8080/");
        assert_eq!(address("0.0.0.0:8080"), "http://localhost:8080/");
        assert_eq!(address("[::1]:80"), "http://[::1]/");
        let config = read(&[(Key::Url, "https://packages.example.com")], &[]).unwrap();
        assert_eq!(config.public_url(config.listen).as_str(), "https://packages.example.com/");
    }
}
