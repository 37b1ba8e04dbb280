//! The address guard: what a host name leads to is checked after resolution, before a connection is made.

use crate::GitError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use stave_domain::outbound::Outbound;
use std::net::{IpAddr, SocketAddr};

/// Which addresses one fetch may connect to.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    outbound: Outbound,
    /// A credential travels unencrypted: only addresses that the operator named will do.
    clear_text: bool,
}

/// An address that was refused; the reason why a look-up failed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{}", Outbound::refusal(*.0))]
    NotPublic(IpAddr),
    #[error("a credential is not sent over plain http")]
    ClearText,
}

impl Refusal {
    pub(crate) fn into_error(self, host: &str) -> GitError {
        match self {
            Self::NotPublic(address) => GitError::Refused(address),
            Self::ClearText => GitError::InsecureCredential { host: host.to_owned() },
        }
    }
}

impl Guard {
    pub(crate) fn new(outbound: Outbound, clear_text: bool) -> Self {
        Self { outbound, clear_text }
    }

    pub(crate) fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        if !self.outbound.permits(address) {
            return Err(Refusal::NotPublic(address));
        }
        if self.clear_text && !self.outbound.allows(address) {
            return Err(Refusal::ClearText);
        }
        Ok(())
    }

    /// Those of the addresses that may be used; the refusal of the first if none may, and nothing if there is none.
    pub(crate) fn choose(&self, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refusal> {
        let first = addresses.first().map(|first| self.check(first.ip()));
        let fit: Vec<_> = addresses.into_iter().filter(|address| self.check(address.ip()).is_ok()).collect();
        match first {
            Some(Err(refusal)) if fit.is_empty() => Err(refusal),
            _ => Ok(fit),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(guard.choose(found)?.into_iter()) as Addrs)
        })
    }
}

/// What is at the root of an error that passed through the HTTP client.
pub(crate) fn refusal_in(error: &(dyn std::error::Error + 'static)) -> Option<Refusal> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return Some(*refusal);
        }
        next = cause.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 443)).collect()
    }

    #[test]
    fn only_fit_addresses_are_chosen() {
        let guard = Guard::new(Outbound::default(), false);
        assert_eq!(guard.choose(addresses(&["127.0.0.1", "1.1.1.1"])).unwrap(), addresses(&["1.1.1.1"]));
        assert!(matches!(guard.choose(addresses(&["169.254.169.254"])), Err(Refusal::NotPublic(_))));
        assert_eq!(guard.choose(Vec::new()).unwrap(), []);
    }

    #[test]
    fn clear_text_goes_to_neighbours_only() {
        let guard = Guard::new(Outbound::allowing(vec!["10.0.0.0/8".parse().unwrap()]), true);
        assert!(guard.check([10, 1, 1, 1].into()).is_ok());
        assert!(matches!(guard.check([1, 1, 1, 1].into()), Err(Refusal::ClearText)));
        assert!(matches!(guard.check([127, 0, 0, 1].into()), Err(Refusal::NotPublic(_))));
    }
}
