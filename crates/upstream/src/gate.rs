//! Which addresses a connection may go to: asked after the name was resolved, so that a name cannot lie.

use crate::BoxError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use stave_domain::outbound::Outbound;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use url::{Host, Url};

/// How far a connection may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses, and those that the operator named: for TLS.
    Permitted,
    /// Only addresses that the operator named: for plain HTTP, where whoever is on the way reads along.
    Neighbours,
}

/// Lets connections through, or not.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) reach: Reach,
}

/// Why an address was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Not public, and not named by the operator.
    #[error("{0} may not be reached")]
    Address(IpAddr),
    /// Public, but this is plain HTTP.
    #[error("plain HTTP may not go to {0}")]
    PlainHttp(IpAddr),
}

impl Gate {
    /// Whether a connection to this address may be opened.
    fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        if !self.outbound.permits(address) {
            return Err(Refusal::Address(address));
        }
        match self.reach {
            Reach::Neighbours if !self.outbound.allows(address) => Err(Refusal::PlainHttp(address)),
            Reach::Neighbours | Reach::Permitted => Ok(()),
        }
    }

    /// The HTTP library does not resolve a host that is an address already, so such a host is checked here.
    pub(crate) fn check_literal(&self, url: &Url) -> Result<(), Refusal> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.check(address.into()),
            Some(Host::Ipv6(address)) => self.check(address.into()),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    /// Those of the addresses of one name that may be reached; a refusal if none may.
    fn filter(&self, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Refusal> {
        let mut first_refusal = None;
        let mut open = Vec::new();
        for address in found {
            match self.check(address.ip()) {
                Ok(()) => open.push(address),
                Err(refusal) => _ = first_refusal.get_or_insert(refusal),
            }
        }
        match first_refusal {
            Some(refusal) if open.is_empty() => Err(refusal),
            _ => Ok(open),
        }
    }
}

impl Resolve for Gate {
    fn resolve(&self, name: Name) -> Resolving {
        let gate = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open = gate.filter(found).map_err(BoxError::from)?;
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(reach: Reach) -> Gate {
        Gate { outbound: Arc::new(Outbound::allowing(vec!["10.0.0.0/8".parse().unwrap()])), reach }
    }

    #[test]
    fn plain_http_goes_to_neighbours_only() {
        let cases = [
            ("10.1.2.3", Ok(()), Ok(())),
            ("1.1.1.1", Ok(()), Err(Refusal::PlainHttp("1.1.1.1".parse().unwrap()))),
            (
                "169.254.169.254",
                Err(Refusal::Address("169.254.169.254".parse().unwrap())),
                Err(Refusal::Address("169.254.169.254".parse().unwrap())),
            ),
        ];
        for (address, encrypted, plain) in cases {
            let address = address.parse().unwrap();
            assert_eq!(gate(Reach::Permitted).check(address), encrypted, "{address}");
            assert_eq!(gate(Reach::Neighbours).check(address), plain, "{address}");
        }
    }

    #[test]
    fn an_address_is_recognised_however_it_is_spelled() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://2130706433/",
            "http://017700000001/",
            "http://0177.0.0.1/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://[::1]:80/",
            "http://www.example.com@127.0.0.1/",
            "http://%31%32%37.0.0.1/",
            "http://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
        ] {
            let url = Url::parse(url).unwrap();
            assert!(gate(Reach::Permitted).check_literal(&url).is_err(), "{url}");
        }
    }

    #[test]
    fn of_several_addresses_only_the_open_ones_are_used() {
        let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
        let gate = gate(Reach::Permitted);
        assert_eq!(gate.filter([at("127.0.0.1"), at("1.1.1.1")].into_iter()), Ok(vec![at("1.1.1.1")]));
        assert_eq!(
            gate.filter([at("127.0.0.1"), at("::1")].into_iter()),
            Err(Refusal::Address("127.0.0.1".parse().unwrap()))
        );
        assert_eq!(gate.filter([].into_iter()), Ok(vec![]));
    }
}
