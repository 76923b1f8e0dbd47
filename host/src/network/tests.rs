//! The policy by itself: names, addresses, ports and every way to write one address as another.

use super::*;

fn network(allow: Option<&[&str]>, deny: &[&str]) -> Network {
    let rules = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Network {
        allow: allow.map(rules),
        deny: rules(deny),
        ..Network::default()
    }
}

fn at(ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), 5432)
}

fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

#[test]
fn closed_addresses_are_closed_in_every_family() {
    let network = Network::default();
    for ip in [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fe80::1",
        "febf::1",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "224.0.0.1",
        "239.255.255.255",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        // Mapped, compatible, translated.
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        // NAT64: well-known, and local with each length of the prefix.
        "64:ff9b::169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:fea9:fe:a9fe::",
        "64:ff9b:1::a9:fea9:fe00:0",
        "64:ff9b:1::169.254.169.254",
        // 6to4.
        "2002:a9fe:a9fe::1",
        "2002:6464:64c8::",
        // Teredo: as server, and as client.
        "2001:0:a9fe:a9fe::1",
        "2001:0:102:304:0:0:5601:5601",
        // ISATAP.
        "2001:db8::5efe:a9fe:a9fe",
        "2001:db8::200:5efe:a9fe:a9fe",
    ] {
        assert!(network.permits(None, at(ip)).is_err(), "{ip}");
        let named = network.permits(Some(&name("db.example")), at(ip));
        let denial = named.unwrap_err().to_string();
        assert!(
            denial.contains("db.example") && !denial.contains(ip),
            "{denial}"
        );
    }
}

#[test]
fn databases_are_open_wherever_they_run() {
    let network = Network::default();
    for ip in [
        "127.0.0.1",
        "127.8.9.10",
        "::1",
        "10.0.0.5",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fd00::2",
        "203.0.113.9",
        "2001:db8::1",
        "::ffff:10.0.0.5",
        "64:ff9b::203.0.113.9",
        "2002:cb00:7109::1",
    ] {
        assert_eq!(network.permits(None, at(ip)), Ok(()), "{ip}");
    }
}

#[test]
fn what_is_denied_is_denied_in_every_disguise() {
    let network = network(None, &["127.0.0.2", "10.0.0.0/8"]);
    for ip in [
        "127.0.0.2",
        "::ffff:127.0.0.2",
        "::127.0.0.2",
        "64:ff9b::127.0.0.2",
        "2002:7f00:2::",
        "10.1.2.3",
        "::ffff:a01:203",
        "64:ff9b::10.1.2.3",
    ] {
        let denial = network.permits(None, at(ip)).unwrap_err().to_string();
        assert!(denial.contains("deny lists"), "{denial}");
    }
    assert_eq!(network.permits(None, at("127.0.0.1")), Ok(()));
    assert_eq!(network.permits(None, at("::1")), Ok(()));
}

#[test]
fn closed_blocks_open_only_from_within() {
    let denied =
        |allow: &[&str], ip: &str| network(Some(allow), &[]).permits(None, at(ip)).is_err();
    assert!(denied(&["0.0.0.0/0"], "169.254.1.1"));
    assert!(denied(&["169.0.0.0/8"], "169.254.1.1"));
    assert!(!denied(&["169.254.0.0/16"], "169.254.1.1"));
    assert!(!denied(&["169.254.1.0/24"], "169.254.1.1"));
    // The network around a metadata service does not open it.
    assert!(denied(&["169.254.0.0/16"], "169.254.169.254"));
    assert!(!denied(&["169.254.169.254"], "169.254.169.254"));
    assert!(denied(&["169.254.169.254"], "169.254.169.253"));
    assert!(denied(&["fe80::1:5433"], "fe80::1"));
    assert!(!denied(&["[fe80::1]:5432"], "fe80::1"));
    // Names open nothing.
    let named = network(Some(&["db.example"]), &[]);
    let closed = named.permits(Some(&name("db.example")), at("169.254.169.254"));
    assert!(closed.unwrap_err().to_string().contains("closed"));
}

#[test]
fn names_count_where_they_are_looked_up() {
    let network = network(Some(&["db.example", "*.inner.example:6432"]), &[]);
    let lookup = |text: &str, port| network.permits_lookup(&name(text), port);
    assert_eq!(lookup("DB.example.", 5432), Ok(()));
    assert_eq!(lookup("a.inner.example", 6432), Ok(()));
    assert_eq!(lookup("a.b.inner.example", 6432), Ok(()));
    for (text, port) in [
        ("inner.example", 6432),
        ("notinner.example", 6432),
        ("a.inner.example", 5432),
        ("db.example.evil", 5432),
        ("localhost", 5432),
    ] {
        let denial = lookup(text, port).unwrap_err().to_string();
        assert!(denial.contains("allow does not list it"), "{denial}");
    }
    assert_eq!(
        network.permits(Some(&name("db.example")), at("10.0.0.1")),
        Ok(())
    );
    // An address that the caller wrote is not that of the name.
    assert!(network.permits(None, at("10.0.0.1")).is_err());
}

#[test]
fn denied_names_are_denied_beside_an_address_too() {
    let network = network(None, &["*.internal", "10.0.0.0/8:22-80"]);
    assert!(network.permits_name(&name("a.internal"), 5432).is_err());
    assert!(network.permits_lookup(&name("a.internal."), 5432).is_err());
    assert_eq!(network.permits_name(&name("internal"), 5432), Ok(()));
    let there = |port| network.permits(None, SocketAddr::new("10.0.0.1".parse().unwrap(), port));
    assert!(there(22).is_err() && there(80).is_err() && there(81).is_ok());
}

#[test]
fn ports_hold_for_names_and_addresses() {
    let network = Network {
        ports: Some(vec!["5432".parse().unwrap(), "6000-6001".parse().unwrap()]),
        ..Network::default()
    };
    for (port, permitted) in [
        (5432, true),
        (6000, true),
        (6001, true),
        (6002, false),
        (22, false),
    ] {
        let address = SocketAddr::new("10.0.0.1".parse().unwrap(), port);
        assert_eq!(network.permits(None, address).is_ok(), permitted);
        assert_eq!(network.permits_lookup(&name("h"), port).is_ok(), permitted);
    }
}

#[test]
fn sockets_are_those_of_listed_directories() {
    let none = Network::default();
    assert!(
        none.permits_socket(Path::new("/var/run/postgresql"))
            .is_err()
    );
    let network = Network {
        unix_sockets: vec!["/var/run/postgresql".into()],
        ..Network::default()
    };
    assert_eq!(
        network.permits_socket(Path::new("/var/run/postgresql")),
        Ok(())
    );
    for directory in [
        "/var/run",
        "/var/run/postgresql/..",
        "/var/run/postgresql/../../tmp",
        "/var/run/x/../postgresql",
        "@/var/run/postgresql",
        "",
    ] {
        assert!(
            network.permits_socket(Path::new(directory)).is_err(),
            "{directory}"
        );
    }
}

#[test]
fn rules_say_what_is_wrong_with_them() {
    for (text, reason) in [
        ("10.0.0.1/8", "its network is written 10.0.0.0/8"),
        (
            "::ffff:10.0.0.0/104",
            "write the IPv4 address or network itself",
        ),
        ("10.0.0.0/33", "no network such as"),
        ("*", "a name is made of"),
        ("*.*.example", "a name is made of"),
        ("db.*", "a name is made of"),
        ("bücher.example", "ASCII form"),
        ("0177.0.0.1", "four decimal numbers"),
        ("db.example:0", "is no port"),
        ("db.example:70000", "is no port"),
        ("db.example:6-5", "is no port"),
        ("db.example:+5", "is no port"),
        ("[fd00::/8]:", "is no port"),
        ("fe80::1%eth0", "zone"),
        ("", "a name is made of"),
    ] {
        let error = text.parse::<Rule>().unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
    for text in [
        "::1",
        "[::1]:5432",
        "fd00::/8",
        "10.0.0.0/8:5432",
        "*.example",
    ] {
        assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
    }
}
