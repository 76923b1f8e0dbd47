//! IPv4 addresses within IPv6 ones.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address, and every IPv4 address that a gateway may make of it. Where several readings are
/// possible, all of them are given.
pub(super) fn faces(ip: IpAddr) -> Vec<IpAddr> {
    let mut faces = vec![ip];
    if let IpAddr::V6(ip) = ip {
        faces.extend(within(ip).into_iter().map(IpAddr::V4));
    }
    faces
}

fn within(ip: Ipv6Addr) -> Vec<Ipv4Addr> {
    let [
        _,
        _,
        b2,
        b3,
        b4,
        b5,
        b6,
        b7,
        _,
        b9,
        b10,
        b11,
        b12,
        b13,
        b14,
        b15,
    ] = ip.octets();
    let last = Ipv4Addr::new(b12, b13, b14, b15);
    match ip.segments() {
        // Unspecified and loopback are addresses of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        // Compatible, mapped, translated; NAT64 by its well-known prefix.
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => vec![last],
        // NAT64 within one network: the prefix can have any of these lengths (RFC 6052).
        [0x64, 0xff9b, 1, ..] => vec![
            Ipv4Addr::new(b6, b7, b9, b10),
            Ipv4Addr::new(b7, b9, b10, b11),
            Ipv4Addr::new(b9, b10, b11, b12),
            last,
        ],
        // 6to4.
        [0x2002, ..] => vec![Ipv4Addr::new(b2, b3, b4, b5)],
        // Teredo: its server, and its client with all bits flipped.
        [0x2001, 0, ..] => vec![
            Ipv4Addr::new(b4, b5, b6, b7),
            Ipv4Addr::new(!b12, !b13, !b14, !b15),
        ],
        // ISATAP.
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => vec![last],
        _ => Vec::new(),
    }
}
