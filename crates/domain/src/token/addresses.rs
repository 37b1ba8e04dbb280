//! Network addresses that somebody named.

use crate::{Invalid, shortened};
use ipnet::IpNet;
use std::{fmt, net::IpAddr, str::FromStr};

/// So many lines are taken.
const MOST: usize = 100;

/// From where a token may be used: ranges such as `10.0.0.0/8`, and single addresses. None at all is everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses(Vec<IpNet>);

impl Addresses {
    /// Whether a client at this address may use it. Nobody knows where a client without one is: it may only where everybody may.
    #[must_use]
    pub fn allow(&self, address: Option<IpAddr>) -> bool {
        self.0.is_empty()
            || address.is_some_and(|address| {
                let address = address.to_canonical();
                self.0.iter().any(|range| range.contains(&address))
            })
    }

    /// Whether it may be used from everywhere.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.0.is_empty()
    }
}

/// A range as people type it; bits behind its length do not count.
fn range(line: &str) -> Option<IpNet> {
    let range = match line.split_once('/') {
        None => IpNet::from(line.parse::<IpAddr>().ok()?.to_canonical()),
        Some(_) => line.parse::<IpNet>().ok()?,
    };
    Some(range.trunc())
}

impl FromStr for Addresses {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut ranges = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let range = range(line).ok_or_else(|| {
                Invalid::because(format!(
                    "“{}” is neither an address such as 192.0.2.7 nor a range such as 192.0.2.0/24 or 2001:db8::/32. Write one per line.",
                    shortened(line, 60)
                ))
            })?;
            if !ranges.contains(&range) {
                ranges.push(range);
            }
            if ranges.len() > MOST {
                return Err(Invalid::because(format!(
                    "These are more than {MOST} addresses. Put several into one range."
                )));
            }
        }
        Ok(Self(ranges))
    }
}

impl fmt::Display for Addresses {
    /// One per line; a range of one address is that address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            if range.prefix_len() == range.max_prefix_len() {
                range.addr().fmt(f)?;
            } else {
                range.fmt(f)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_where_it_may_be_used() {
        for (typed, address, is_allowed) in [
            ("", Some("192.0.2.7"), true),
            ("", None, true),
            ("192.0.2.0/24", Some("192.0.2.7"), true),
            ("192.0.2.0/24", Some("::ffff:192.0.2.7"), true),
            ("::ffff:192.0.2.7", Some("192.0.2.7"), true),
            ("192.0.2.0/24", Some("192.0.3.7"), false),
            ("192.0.2.0/24", None, false),
            ("192.0.2.0/24\n 2001:db8::/32", Some("2001:db8::1"), true),
            ("192.0.2.7", Some("192.0.2.8"), false),
            ("0.0.0.0/0", Some("2001:db8::1"), false),
        ] {
            let addresses: Addresses = typed.parse().unwrap();
            let address = address.map(|address| address.parse().unwrap());
            assert_eq!(addresses.allow(address), is_allowed, "{typed} {address:?}");
        }
    }

    #[test]
    fn as_it_is_shown() {
        for (typed, shown) in [
            ("192.0.2.7/24\r\n192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7/32\n2001:DB8:0::1", "192.0.2.7\n2001:db8::1"),
            (" \n", ""),
        ] {
            assert_eq!(typed.parse::<Addresses>().unwrap().to_string(), shown);
        }
        for bad in ["ci.example.com", "192.0.2", "192.0.2.0/33", "192.0.2.1, 192.0.2.2", "10.0.0.1-10.0.0.9"]
        {
            assert!(bad.parse::<Addresses>().is_err(), "{bad}");
        }
        let many = |count: u32| {
            (0..count).map(|at| IpAddr::from(at.to_be_bytes()).to_string() + "\n").collect::<String>()
        };
        assert!(many(100).parse::<Addresses>().is_ok());
        assert!(many(101).parse::<Addresses>().is_err());
    }
}
