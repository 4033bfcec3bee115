//! Addresses as limits count them: the one rule for every table that is kept by address.

use std::net::{IpAddr, Ipv6Addr};

/// An IPv6 customer has at least a network of 64 bits and chooses the other 64 bits freely, so one address is no limit.
const NETWORK: u128 = u128::MAX << 64;

/// The source that an address is counted for: the IPv4 address, also where it is written as IPv6 (`::ffff:10.0.0.7`); of other IPv6
/// addresses the network, with zeros after its 64 bits.
pub fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK)),
        address @ IpAddr::V4(_) => address,
    }
}

/// The same for an address as a text; `2001:db8:1:2::/64` says that it is a network. A text that is no address is its own source.
pub fn source_text(address: &str) -> String {
    match address.parse().map(source) {
        Ok(IpAddr::V6(network)) => format!("{network}/64"),
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_source_and_so_is_an_ipv4_address_however_it_is_written() {
        for (address, source) in [
            ("10.0.0.7", "10.0.0.7"),
            ("::ffff:10.0.0.7", "10.0.0.7"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("somebody", "somebody"),
        ] {
            assert_eq!(source_text(address), source, "{address}");
        }
    }
}
