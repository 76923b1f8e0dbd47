//! `inet` and `cidr`.

use super::number::int;
use super::reader::Reader;

/// Address families as PostgreSQL numbers them on the wire, the same on every platform.
const IPV4: u8 = 2;
const IPV6: u8 = 3;

/// Family, bits of the network, whether it is a `cidr`, then the address behind its length.
///
/// A `cidr` always shows its bits; an `inet` where they are not all.
pub(super) fn address(always_bits: bool, raw: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut reader = Reader::new(raw);
    let [family, bits, _, length] = reader.array()?;
    let most = match (family, length) {
        (IPV4, 4) => {
            quad(out, &reader.array::<4>()?);
            32
        }
        (IPV6, 16) => {
            ipv6(out, &reader.array::<16>()?);
            128
        }
        _ => return None,
    };
    if bits != most || always_bits {
        out.push(b'/');
        int(out, bits);
    }
    reader.end()
}

fn quad(out: &mut Vec<u8>, bytes: &[u8]) {
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        int(out, *byte);
    }
}

/// The longest run of zero words, two at least, becomes `::`; the first of equals does.
fn ipv6(out: &mut Vec<u8>, bytes: &[u8; 16]) {
    let words = std::net::Ipv6Addr::from(*bytes).segments();
    let (base, length) = longest_zeros(&words);
    for (at, word) in words.iter().enumerate() {
        if (base..base + length).contains(&at) {
            if at == base {
                out.push(b':');
            }
            continue;
        }
        if at > 0 {
            out.push(b':');
        }
        if at == 6 && base == 0 && embeds_ipv4(length, &words) {
            quad(out, bytes.last_chunk::<4>().map_or(&[], |quad| quad));
            return;
        }
        shortest_hex(out, *word);
    }
    if length > 0 && base + length == words.len() {
        out.push(b':');
    }
}

/// Start and length; nothing where no two zeros are side by side.
fn longest_zeros(words: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut length) = ((0, 0), 0);
    for (at, word) in words.iter().enumerate() {
        length = if *word == 0 { length + 1 } else { 0 };
        if length >= 2 && length > best.1 {
            best = (at + 1 - length, length);
        }
    }
    best
}

/// Whether the last two words are written as an IPv4 address, zeros being in front.
fn embeds_ipv4(zeros: usize, words: &[u16; 8]) -> bool {
    let [.., sixth, _, last] = *words;
    zeros == 6 || (zeros == 7 && last != 1) || (zeros == 5 && sixth == 0xFFFF)
}

fn shortest_hex(out: &mut Vec<u8>, word: u16) {
    let digits = [word >> 12, word >> 8 & 15, word >> 4 & 15, word & 15];
    let skipped = digits
        .iter()
        .take(3)
        .take_while(|digit| **digit == 0)
        .count();
    let shown = digits.iter().skip(skipped);
    out.extend(
        shown
            .filter_map(|digit| char::from_digit(u32::from(*digit), 16))
            .map(|digit| digit as u8),
    );
}
