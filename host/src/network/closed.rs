//! Addresses that no database is at, and that others must not be led to.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses that is closed unless it is opened.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: &'static str,
    pub(super) net: IpNet,
}

const METADATA: &str = "cloud metadata";
const LINK_LOCAL: &str = "link-local";
const UNSPECIFIED: &str = "unspecified";
const MULTICAST: &str = "multicast";
const RESERVED: &str = "reserved";

const fn v4(kind: &'static str, a: u8, b: u8, c: u8, d: u8, bits: u8) -> Block {
    let ip = IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    let net = IpNet::new_assert(ip, bits);
    Block { kind, net }
}

const fn v6(kind: &'static str, segments: [u16; 8], bits: u8) -> Block {
    let [a, b, c, d, e, f, g, h] = segments;
    let ip = IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h));
    let net = IpNet::new_assert(ip, bits);
    Block { kind, net }
}

/// Services that give credentials of a machine to whoever can dial them come first: each is a block of
/// its own, so opening the network around it does not open it.
const CLOSED: &[Block] = &[
    // AWS, Azure, Google, OpenStack and others.
    v4(METADATA, 169, 254, 169, 254, 32),
    // AWS: tasks of ECS, pods of EKS.
    v4(METADATA, 169, 254, 170, 2, 32),
    v4(METADATA, 169, 254, 170, 23, 32),
    v6(METADATA, [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128),
    v6(METADATA, [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128),
    // Google.
    v6(METADATA, [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
    // Alibaba.
    v4(METADATA, 100, 100, 100, 200, 32),
    // Oracle.
    v4(METADATA, 192, 0, 0, 192, 32),
    // Azure: the host of a virtual machine.
    v4(METADATA, 168, 63, 129, 16, 32),
    v4(LINK_LOCAL, 169, 254, 0, 0, 16),
    v6(LINK_LOCAL, [0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    // Linux dials itself for these.
    v4(UNSPECIFIED, 0, 0, 0, 0, 8),
    v6(UNSPECIFIED, [0, 0, 0, 0, 0, 0, 0, 0], 128),
    v4(MULTICAST, 224, 0, 0, 0, 4),
    v6(MULTICAST, [0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
    v4("broadcast", 255, 255, 255, 255, 32),
    v4(RESERVED, 240, 0, 0, 0, 4),
];

/// The blocks that hold an address.
pub(super) fn blocks_with(ip: IpAddr) -> impl Iterator<Item = &'static Block> {
    CLOSED.iter().filter(move |block| block.net.contains(&ip))
}
