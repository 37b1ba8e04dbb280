//! What is read, with whose rights, and what of the network may be used for it.

use stave_domain::{Secret, outbound::Outbound, repository::SourceUrl};
use std::{path::PathBuf, time::Duration};

/// A repository on another host, and how to be let in.
#[derive(Debug, Clone)]
pub struct Remote<'a> {
    /// Its address.
    pub url: &'a SourceUrl,
    /// With whose rights it is read.
    pub access: Access,
}

/// A credential for one repository.
#[derive(Debug, Clone)]
pub enum Access {
    /// None: the repository is public.
    Anonymous,
    /// For http(s): a user name and a password or token, sent as an `Authorization` header (RFC 7617) and in no other way.
    Basic {
        /// Bitbucket's OAuth and access tokens use `x-token-auth`.
        username: String,
        /// Of any length; Bitbucket's tokens may have more than 2,500 characters.
        password: Secret,
    },
    /// For http(s): a token, sent as an `Authorization` header (RFC 6750, section 2.1). All HTTP access tokens of Bitbucket Data
    /// Center are taken like this; beside a user name, a person's own only beside the name of the person.
    Bearer(Secret),
    /// For ssh: a private key without passphrase, in OpenSSH's text form.
    SshKey(Secret),
}

/// The limits within which repositories are fetched.
#[derive(Debug, Clone)]
pub struct Network {
    /// Which addresses may be reached.
    pub outbound: Outbound,
    /// Where the keys of ssh hosts are remembered: a host that is new is trusted, one whose key changed is refused.
    pub ssh_known_hosts: PathBuf,
    /// How long one connection may take to be made.
    pub connect_timeout: Duration,
    /// How long the other side may be silent.
    pub idle_timeout: Duration,
    /// How long one fetch may take in all.
    pub deadline: Duration,
    /// The least that must come in each second, averaged over [`Network::slow_timeout`].
    pub slowest_bytes_per_second: u64,
    /// How long the other side may be slower than that: a host counts the objects of a large repository for minutes, and
    /// says little meanwhile. Only the time that is spent waiting counts.
    pub slow_timeout: Duration,
    /// The most bytes that one fetch may receive.
    pub max_bytes: u64,
}

impl Network {
    /// The usual limits: 10 s to connect, 60 s of silence, 5 minutes below 1 KiB/s, one hour, 10 GiB.
    #[must_use]
    pub fn new(outbound: Outbound, ssh_known_hosts: PathBuf) -> Self {
        Self {
            outbound,
            ssh_known_hosts,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            deadline: Duration::from_hours(1),
            slowest_bytes_per_second: 1 << 10,
            slow_timeout: Duration::from_mins(5),
            max_bytes: 10 << 30,
        }
    }
}
