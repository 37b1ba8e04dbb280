//! The keys of the configuration: their names, and what the manual and `--help` say about them.
//!
//! One list makes the flags, the environment variables, the keys of `stave.toml` and docs/configuration.md, so
//! that they cannot say different things.

/// One key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The TOML file.
    Config,
    /// The data folder.
    Data,
    /// The address that Stave listens on.
    Listen,
    /// The public address.
    Url,
    /// The proxies that say for whom they ask.
    TrustedProxies,
    /// The database.
    DatabaseUrl,
    /// A file that holds the address of the database.
    DatabaseUrlFile,
    /// Where zips are kept.
    StorageUrl,
    /// Address ranges that outgoing requests may reach besides public ones.
    OutboundAllow,
    /// The key that seals secrets.
    SealingKey,
    /// A file that holds the key that seals secrets.
    SealingKeyFile,
    /// The mail server.
    SmtpUrl,
    /// A file that holds the password of the user at the mail server.
    SmtpPasswordFile,
    /// From which address mail comes.
    MailFrom,
    /// The mirror of every new organization.
    MirrorUrl,
    /// Where the sources of the guides can be changed.
    DocsEditUrl,
    /// How log lines look.
    LogFormat,
    /// How much is logged.
    LogLevel,
}

/// What is written about a key.
pub(crate) struct Words {
    /// As a flag and in the TOML file; the environment variable is made from it.
    pub(crate) name: &'static str,
    /// What stands for the value in `--help`.
    pub(crate) placeholder: &'static str,
    /// The value that holds when none is given, in words.
    pub(crate) default: &'static str,
    /// What it is for; the first line is the one that `--help` shows.
    pub(crate) about: &'static str,
    /// A line of a TOML file.
    pub(crate) example: &'static str,
}

impl Key {
    /// Every key, in the order of the manual.
    pub const ALL: [Self; 18] = [
        Self::Config,
        Self::Data,
        Self::Listen,
        Self::Url,
        Self::TrustedProxies,
        Self::DatabaseUrl,
        Self::DatabaseUrlFile,
        Self::StorageUrl,
        Self::OutboundAllow,
        Self::SealingKey,
        Self::SealingKeyFile,
        Self::SmtpUrl,
        Self::SmtpPasswordFile,
        Self::MailFrom,
        Self::MirrorUrl,
        Self::DocsEditUrl,
        Self::LogFormat,
        Self::LogLevel,
    ];

    /// The name in the TOML file, and with two dashes before it the flag: `database-url`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.words().name
    }

    /// The environment variable: `STAVE_DATABASE_URL`.
    #[must_use]
    pub fn variable(self) -> String {
        format!("STAVE_{}", self.name().replace('-', "_").to_uppercase())
    }

    /// Whether there is a flag of this name. The sealing key has none: every user of the machine can read flags
    /// in the list of processes.
    #[must_use]
    pub fn is_flag(self) -> bool {
        self != Self::SealingKey
    }

    /// Whether the key may stand in the TOML file. The file does not say where it lies.
    #[must_use]
    pub fn is_in_file(self) -> bool {
        self != Self::Config
    }

    /// Whether it has several values.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self, Self::OutboundAllow | Self::TrustedProxies)
    }

    /// Whether the value must not be shown.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Self::DatabaseUrl | Self::SealingKey | Self::SmtpUrl)
    }

    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::Config => &CONFIG,
            Self::Data => &DATA,
            Self::Listen => &LISTEN,
            Self::Url => &URL,
            Self::TrustedProxies => &TRUSTED_PROXIES,
            Self::DatabaseUrl => &DATABASE_URL,
            Self::DatabaseUrlFile => &DATABASE_URL_FILE,
            Self::StorageUrl => &STORAGE_URL,
            Self::OutboundAllow => &OUTBOUND_ALLOW,
            Self::SealingKey => &SEALING_KEY,
            Self::SealingKeyFile => &SEALING_KEY_FILE,
            Self::SmtpUrl => &SMTP_URL,
            Self::SmtpPasswordFile => &SMTP_PASSWORD_FILE,
            Self::MailFrom => &MAIL_FROM,
            Self::MirrorUrl => &MIRROR_URL,
            Self::DocsEditUrl => &DOCS_EDIT_URL,
            Self::LogFormat => &LOG_FORMAT,
            Self::LogLevel => &LOG_LEVEL,
        }
    }
}

const CONFIG: Words = Words {
    name: "config",
    placeholder: "FILE",
    default: "`./stave.toml`, if there is one",
    about: "The TOML file that holds the other keys.\n\
            A file that is named here must exist.",
    example: "",
};

const DATA: Words = Words {
    name: "data",
    placeholder: "FOLDER",
    default: "`./stave-data`",
    about: "The folder in which Stave keeps what it owns.\n\
            It holds the SQLite database, the zips, the copies of git repositories and the sealing key, unless another \
            key says otherwise. Stave makes it on first start. A relative path counts from the working directory.",
    example: "data = \"/var/lib/stave\"",
};

const LISTEN: Words = Words {
    name: "listen",
    placeholder: "ADDRESS:PORT",
    default: "`127.0.0.1:8080`",
    about: "The address and port that Stave listens on, for plain HTTP.\n\
            `0.0.0.0:8080` or `[::]:8080` means every address of the machine. Put a reverse proxy in front of Stave for \
            HTTPS. Port 0 takes any free port.",
    example: "listen = \"127.0.0.1:8080\"",
};

const URL: Words = Words {
    name: "url",
    placeholder: "URL",
    default: "`http://` and the address of `listen`",
    about: "The public address: what people type, and what Composer and Bitbucket are told.\n\
            It has no path. With an `https` address cookies are sent over HTTPS only.",
    example: "url = \"https://packages.example.com\"",
};

const TRUSTED_PROXIES: Words = Words {
    name: "trusted-proxies",
    placeholder: "RANGES",
    default: "none: only a proxy on the same machine is believed",
    about: "The addresses of reverse proxies before Stave that are on other machines or in other containers.\n\
            What such a proxy says in `X-Forwarded-For` is where a request comes from: it is shown with log-ins and tokens, and \
            decides whether a token may be used from there. Whoever else sends that header is not believed.",
    example: "trusted-proxies = [\"10.1.0.7\", \"172.18.0.0/16\"]",
};

const DATABASE_URL: Words = Words {
    name: "database-url",
    placeholder: "URL",
    default: "a SQLite file in the data folder",
    about: "The database: `postgres://user:password@host/name`, or `sqlite:///path/of/the/file`.\n\
            A password in a flag can be read by every user of the machine. Give an address with a password by the \
            environment, by the TOML file or by `database-url-file`.",
    example: "database-url = \"postgres://stave@127.0.0.1/stave\"",
};

const DATABASE_URL_FILE: Words = Words {
    name: "database-url-file",
    placeholder: "FILE",
    default: "none",
    about: "A file that holds the address of the database, instead of `database-url`.\n\
            It suits secrets that a service manager puts into a file.",
    example: "database-url-file = \"/run/secrets/stave-database-url\"",
};

const STORAGE_URL: Words = Words {
    name: "storage-url",
    placeholder: "URL",
    default: "a folder in the data folder",
    about: "Where the zips of packages are kept: a folder, or `s3://bucket/prefix`.\n\
            For S3 the credentials, the region and the address of the server come from the usual variables \
            `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION` and `AWS_ENDPOINT_URL`.",
    example: "storage-url = \"s3://stave/packages\"",
};

const OUTBOUND_ALLOW: Words = Words {
    name: "outbound-allow",
    placeholder: "RANGE",
    default: "none: only public addresses are reached",
    about: "Address ranges that outgoing requests may reach although they are not public.\n\
            A git server in your own network needs its range here. Give several with commas or by repeating the flag; in \
            the TOML file as a list. Name no more than is needed: whoever may add a package can make Stave ask these \
            addresses, and over plain http credentials are sent to them and to no others.",
    example: "outbound-allow = [\"10.1.0.0/16\", \"fd00::/8\"]",
};

const SEALING_KEY: Words = Words {
    name: "key",
    placeholder: "KEY",
    default: "the file `key` in the data folder, made on first start",
    about: "The key that seals secrets in the database: 32 random bytes as hex or base64.\n\
            `openssl rand -hex 32` makes one. It is no flag, because every user of the machine can read flags. Without the \
            key the secrets in a database cannot be read by anybody: keep a copy, and keep it apart from the copies of the \
            database.",
    example: "",
};

const SEALING_KEY_FILE: Words = Words {
    name: "key-file",
    placeholder: "FILE",
    default: "none",
    about: "A file that holds the sealing key, instead of `key`.\n\
            The file must exist; Stave does not make it.",
    example: "key-file = \"/run/secrets/stave-key\"",
};

const SMTP_URL: Words = Words {
    name: "smtp-url",
    placeholder: "URL",
    default: "none: no mail is sent, and everything else works",
    about: "The mail server: `smtps://user:password@host`, or `smtp://host` for one that takes mail without a log-in.\n\
            With `smtps` TLS begins with the connection (port 465). With `smtp` it begins by STARTTLS: a user and a password are \
            sent in no other way, except to this machine (port 587); without them TLS is used if the server offers it (port 25). \
            Characters such as `@` in a user or password are written `%40`. The server may be anywhere: `outbound-allow` says \
            nothing about it. Owners and admins of an organization are told by mail that a credential expires, and that a \
            synchronization has been failing for a day.",
    example: "smtp-url = \"smtps://stave@mail.example.com\"",
};

const SMTP_PASSWORD_FILE: Words = Words {
    name: "smtp-password-file",
    placeholder: "FILE",
    default: "none",
    about: "A file that holds the password of the user in `smtp-url`, instead of a password there.\n\
            It suits secrets that a service manager puts into a file.",
    example: "smtp-password-file = \"/run/secrets/stave-smtp-password\"",
};

const MAIL_FROM: Words = Words {
    name: "mail-from",
    placeholder: "ADDRESS",
    default: "none; needed with `smtp-url`",
    about: "The e-mail address from which mail comes.\n\
            The mail server has to take mail from it.",
    example: "mail-from = \"stave@example.com\"",
};

const MIRROR_URL: Words = Words {
    name: "mirror-url",
    placeholder: "URL",
    default: "`https://repo.packagist.org`",
    about: "The Composer repository that every new organization mirrors, so that everything is installed from one place; `none` for \
            none.\n\
            Packages of it come in when somebody first uses them, after those of mirrors that the organization adds itself. Its owners \
            and admins decide under Settings > Mirrored repositories who adds packages, or switch it off. Organizations that are there \
            already stay as they are.",
    example: "mirror-url = \"none\"",
};

const DOCS_EDIT_URL: Words = Words {
    name: "docs-edit-url",
    placeholder: "URL",
    default: "none: the guides have no such link",
    about: "Where the sources of the guides can be changed: each page below `/docs` then has a link “Edit this page”.\n\
            The link is this address, a slash, and the name of the file, such as `bitbucket.md`. It suits a team that keeps \
            the guides of its own build in a repository.",
    example: "docs-edit-url = \"https://git.example.com/projects/IT/repos/stave/browse/docs/guides\"",
};

const LOG_FORMAT: Words = Words {
    name: "log-format",
    placeholder: "FORMAT",
    default: "`human`",
    about: "How log lines on the standard error output look: `human` or `json`.\n\
            `human` is coloured on a terminal. `json` is one object per line.",
    example: "log-format = \"json\"",
};

const LOG_LEVEL: Words = Words {
    name: "log-level",
    placeholder: "LEVEL",
    default: "`info`",
    about: "How much is logged: `error`, `warn`, `info`, `debug` or `trace`.\n\
            No level logs a password, a token or another secret.",
    example: "log-level = \"info\"",
};
