//! A website's own log: sign-ins that worked and that did not, for its owners.

use crate::{
    Timestamp,
    id::{WebsiteEventId, WebsiteId, WebsiteMemberId},
};

/// One line of it. No codes, no tokens, no whole addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Immutable.
    pub id: WebsiteEventId,
    /// Of which website.
    pub website_id: WebsiteId,
    /// Who, if somebody was recognised. The line stays when they are gone, so it does not hold their name.
    pub member_id: Option<WebsiteMemberId>,
    /// What happened, in a sentence; its subject is the member if there is one.
    pub sentence: String,
    /// Whether something went wrong.
    pub is_failure: bool,
    /// From where: the address without its last part.
    pub address: String,
    /// When.
    pub created_at: Timestamp,
}

impl Event {
    /// An address without its last part: enough to see that two are neighbours.
    #[must_use]
    pub fn masked(address: &str) -> String {
        match address.parse() {
            Ok(std::net::IpAddr::V4(v4)) => {
                let [a, b, c, _] = v4.octets();
                format!("{a}.{b}.{c}.*")
            }
            Ok(std::net::IpAddr::V6(v6)) => {
                let [a, b, c, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:*")
            }
            Err(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_without_its_last_part() {
        for (address, masked) in
            [("192.0.2.7", "192.0.2.*"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:*"), ("", ""), ("nonsense", "")]
        {
            assert_eq!(Event::masked(address), masked, "{address}");
        }
    }
}
