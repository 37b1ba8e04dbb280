//! Which addresses Stave may reach on behalf of somebody who typed a URL.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};

/// Public addresses, and the ranges that the operator allows besides (`--outbound-allow`).
///
/// Everything that the special-purpose registries of IANA (RFC 6890) keep off the public internet is refused by
/// default: loopback, private, link-local (cloud metadata services live there), shared, multicast, reserved.
#[derive(Debug, Clone, Default)]
pub struct Outbound {
    allowed: Vec<IpNet>,
}

impl Outbound {
    /// Public addresses and these ranges.
    #[must_use]
    pub fn allowing(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether a connection to this address may be opened.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allows(address) || is_public(address)
    }

    /// Whether the operator named this address: it is then a neighbour, and a credential may go to it over plain HTTP.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|range| range.contains(&address))
    }

    /// The sentence for a refused address.
    #[must_use]
    pub fn refusal(address: IpAddr) -> String {
        let address = address.to_canonical();
        format!(
            "{address} is not a public address. If Stave may reach it, the operator starts Stave with \
             --outbound-allow naming its range, for example {address}/{}.",
            if address.is_ipv4() { 32 } else { 128 }
        )
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(a == 0
                || a >= 240
                || v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_documentation()
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(v6) => {
            // Only global unicast (2000::/3) is public; of that, the ranges that carry or translate IPv4 are not.
            let [first, second, ..] = v6.segments();
            (first & 0xe000) == 0x2000
                && !(first == 0x2002
                    || (first == 0x2001 && second < 0x0200)
                    || (first == 0x2001 && second == 0x0db8)
                    || is_unspecified_or_mapped(v6))
        }
    }
}

fn is_unspecified_or_mapped(v6: Ipv6Addr) -> bool {
    v6.is_unspecified() || v6.to_ipv4_mapped().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_reached_by_default() {
        let outbound = Outbound::default();
        let refused = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "ff02::1",
            "2001:db8::1",
        ];
        for address in refused {
            assert!(!outbound.permits(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "104.192.141.1", "2606:4700::1111", "2401:1d80::1"] {
            assert!(outbound.permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn the_operator_can_allow_a_range() {
        let outbound = Outbound::allowing(vec!["10.0.0.0/8".parse().unwrap()]);
        assert!(outbound.permits("10.9.8.7".parse().unwrap()));
        assert!(outbound.permits("::ffff:10.9.8.7".parse().unwrap()));
        assert!(!outbound.permits("192.168.0.1".parse().unwrap()));
    }
}
