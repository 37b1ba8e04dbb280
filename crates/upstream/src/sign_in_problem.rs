//! Why a platform does not let a person in, each with a sentence that says what to do and where.

use crate::interception::WHITELIST;
use jiff::SignedDuration;
use stave_domain::{Timestamp, integration::Platform};

/// Why the platform refused to let a person in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInProblem {
    /// The person pressed Cancel or Deny.
    Denied,
    /// They came back without a code and without an error.
    NoCode,
    /// The code, or the request token, has expired or was used already.
    CodeSpent,
    /// The client secret is wrong, or the client id.
    ClientRefused,
    /// The platform does not know the client id.
    ClientUnknown,
    /// The OAuth consumer has no callback URL.
    CallbackMissing {
        /// The one that it should have.
        callback: String,
    },
    /// The OAuth consumer has another callback URL.
    CallbackMismatch {
        /// The one that it should have.
        callback: String,
    },
    /// The account is not a person: an `app_user`, a `team`, a `SERVICE`.
    NotAPerson {
        /// What the platform calls it.
        kind: String,
    },
    /// The account is deactivated.
    Inactive,
    /// The platform takes requests with the token that it just gave as if nobody had asked.
    TokenIgnored,
    /// Data Center: nothing speaks OAuth 2 there.
    OAuth2Missing,
    /// Data Center: nothing speaks OAuth 1 there.
    OAuth1Missing,
    /// OAuth 1: the clocks differ too much.
    ClockOff {
        /// The time here.
        here: Timestamp,
        /// The time there, if it is known.
        there: Option<Timestamp>,
    },
    /// OAuth 1: the signature is not that of the public key, or not for the address that Bitbucket believes was asked.
    SignatureRefused {
        /// The address that was asked.
        asked: String,
        /// The address that Bitbucket believes was asked, if it says so.
        believed: Option<String>,
    },
    /// OAuth 1: the platform does not know the consumer key, or does not take it any longer.
    ConsumerUnknown,
    /// OAuth 1: the platform has not understood the callback, so anybody could bring the token back.
    CallbackUnconfirmed,
    /// OAuth 1: the private key of the integration cannot sign.
    KeyUnusable {
        /// Why, and what to do: a sentence.
        why: String,
    },
    /// Anything else, in the platform's words.
    Refused {
        /// At most 300 characters of what it said.
        said: String,
    },
}

impl SignInProblem {
    /// Whether an admin has to mend something before anybody can log in.
    pub(crate) fn needs_admin(&self) -> bool {
        match self {
            Self::Denied
            | Self::NoCode
            | Self::CodeSpent
            | Self::NotAPerson { .. }
            | Self::Inactive
            | Self::Refused { .. } => false,
            Self::ClientRefused
            | Self::ClientUnknown
            | Self::CallbackMissing { .. }
            | Self::CallbackMismatch { .. }
            | Self::TokenIgnored
            | Self::OAuth2Missing
            | Self::OAuth1Missing
            | Self::ClockOff { .. }
            | Self::SignatureRefused { .. }
            | Self::ConsumerUnknown
            | Self::CallbackUnconfirmed
            | Self::KeyUnusable { .. } => true,
        }
    }

    pub(crate) fn sentence(&self, platform: Platform, host: &str) -> String {
        match self {
            Self::Denied => format!(
                "You did not grant Stave access at {host}, so it does not know who you are. To log in, start again and press \
                 \"{}\".",
                button(platform)
            ),
            Self::NoCode => {
                format!("{host} sent you back without the code that Stave needs. Start the log-in again.")
            }
            Self::CodeSpent => format!(
                "The code with which {host} sent you back has expired or was used already. Start the log-in again."
            ),
            Self::NotAPerson { kind } => format!(
                "{host} says that this account is not a person ({kind}). Log in with the account of a person."
            ),
            Self::Inactive => format!(
                "Your account at {host} is deactivated. Ask whoever administers {host} to activate it, then log in again."
            ),
            Self::Refused { said } => format!(
                "{host} did not let you in: {said} Start the log-in again; if it stays like this, ask an admin."
            ),
            Self::ClientRefused
            | Self::ClientUnknown
            | Self::CallbackMissing { .. }
            | Self::CallbackMismatch { .. } => self.sentence_about_client(platform, host),
            Self::TokenIgnored | Self::OAuth2Missing | Self::OAuth1Missing => {
                self.sentence_about_server(host)
            }
            Self::ClockOff { .. }
            | Self::SignatureRefused { .. }
            | Self::ConsumerUnknown
            | Self::CallbackUnconfirmed
            | Self::KeyUnusable { .. } => self.sentence_about_signature(host),
        }
    }

    /// What is registered there is not what is entered here.
    fn sentence_about_client(&self, platform: Platform, host: &str) -> String {
        let (application, place) = (platform.application(), place(platform));
        match self {
            Self::ClientUnknown => format!(
                "{host} does not know the {} of this integration. An admin opens the integration in Stave and enters it again, as \
                 the {application} at {host} shows it ({place}); if it was deleted there, the admin makes a new one.",
                client_id(platform)
            ),
            Self::CallbackMissing { callback } => format!(
                "The {application} at {host} has no callback URL. An admin opens it there ({place}), enters {callback} as its \
                 {}, and saves.",
                callback_field(platform)
            ),
            Self::CallbackMismatch { callback } => {
                let needs_https =
                    platform == Platform::BitbucketDataCenter && callback.starts_with("http://");
                let hint = if needs_https {
                    " Bitbucket takes only addresses that start with https://, unless its operator has allowed others."
                } else {
                    ""
                };
                format!(
                    "The {application} at {host} has another callback URL than this integration. An admin opens it there \
                     ({place}), enters exactly {callback} as its {}, and saves.{hint}",
                    callback_field(platform)
                )
            }
            _ => format!(
                "{host} does not accept the {} and the Client Secret of this integration. An admin opens the integration in Stave \
                 and enters both again, as the {application} at {host} shows them ({place}).",
                client_id(platform)
            ),
        }
    }

    /// What the server does, or does not do, for everybody.
    fn sentence_about_server(&self, host: &str) -> String {
        match self {
            Self::TokenIgnored => format!(
                "{host} gave Stave a token, but takes requests with it as if nobody had asked. Probably a proxy in front of \
                 Bitbucket drops the header \"Authorization\", or the base URL of the integration leads to another server: check \
                 both. If a two-factor plugin is installed there, an admin enables {WHITELIST}."
            ),
            Self::OAuth2Missing => format!(
                "{host} offers no OAuth 2. It came with version 7.21 of Bitbucket, and is on only while Bitbucket's own base URL \
                 starts with https://. An admin corrects it there (Administration > Server settings > Base URL), or uses OAuth 1 \
                 if the version is older."
            ),
            _ => format!(
                "{host} no longer takes OAuth 1. An admin makes an application link for OAuth 2 there (Administration > \
                 Application links > Create link > External application), and upgrades the integration in Stave."
            ),
        }
    }

    /// What is wrong with a signed request.
    fn sentence_about_signature(&self, host: &str) -> String {
        match self {
            Self::ClockOff { here, there } => clock_sentence(host, *here, *there),
            Self::SignatureRefused { asked, believed } => match believed {
                Some(believed) if believed == asked => format!(
                    "{host} does not accept Stave's signature: the application link there has another public key than this \
                     integration. An admin opens Administration > Application links > Edit > Incoming Authentication at {host}, \
                     and pastes the Public Key that the page of the integration in Stave shows."
                ),
                Some(believed) => format!(
                    "{host} does not accept Stave's signature, because it believes that it was reached at {believed} and not at \
                     {asked}. An admin corrects Bitbucket's own base URL (Administration > Server settings > Base URL) and what \
                     the proxy in front of it passes on, or the base URL of the integration in Stave."
                ),
                None => format!(
                    "{host} does not accept Stave's signature. Either the application link there has the public key of another \
                     integration: an admin opens Administration > Application links > Edit > Incoming Authentication and pastes \
                     the Public Key that Stave shows. Or Bitbucket's own base URL (Administration > Server settings > Base URL) \
                     is not the one that the integration in Stave has, or a proxy changes addresses on the way."
                ),
            },
            Self::ConsumerUnknown => format!(
                "{host} does not know the Client ID of this integration, its consumer key. An admin opens Administration > \
                 Application links > Edit > Incoming Authentication there, and enters the Client ID that Stave shows as Consumer \
                 Key, exactly as it is."
            ),
            Self::KeyUnusable { why } => why.clone(),
            _ => format!(
                "{host} has not confirmed where people come back to, as OAuth 1.0a demands, so Stave does not send them there. \
                 Whoever runs {host} updates Bitbucket, and checks that no proxy drops the header \"Authorization\"."
            ),
        }
    }
}

fn clock_sentence(host: &str, here: Timestamp, there: Option<Timestamp>) -> String {
    let spelled = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let there = match there.map(|there| (there, there.duration_since(here))) {
        Some((there, ahead)) => {
            let side = if ahead > SignedDuration::ZERO { "ahead" } else { "behind" };
            format!("there it is {}, {} minutes {side}", spelled(there), ahead.abs().as_mins())
        }
        None => "it does not say which time it is there".to_owned(),
    };
    format!(
        "The clocks differ too much for OAuth 1: on the machine that Stave runs on it is {}, and {there}. Whoever runs the machine \
         whose clock is wrong ({host} or Stave's) sets it right; five minutes are the most.",
        spelled(here)
    )
}

/// Where the application is kept, in Bitbucket's administration.
pub(crate) fn place(platform: Platform) -> &'static str {
    match platform {
        Platform::BitbucketCloud => "Workspace settings > OAuth consumers",
        Platform::BitbucketDataCenter => "Administration > Application links",
    }
}

fn button(platform: Platform) -> &'static str {
    match platform {
        Platform::BitbucketCloud => "Grant access",
        Platform::BitbucketDataCenter => "Allow",
    }
}

fn client_id(platform: Platform) -> &'static str {
    match platform {
        Platform::BitbucketCloud => "Client ID / Key",
        Platform::BitbucketDataCenter => "Client ID",
    }
}

fn callback_field(platform: Platform) -> &'static str {
    match platform {
        Platform::BitbucketCloud => "Callback URL",
        Platform::BitbucketDataCenter => "Redirect URL",
    }
}
