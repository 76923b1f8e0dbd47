//! Small changes to inputs, the same ones for the same seed.
//!
//! libFuzzer changes inputs by what code they reach; this does not. It is what `cargo test` needs: no
//! instrumentation, no crate, and byte for byte the input that the fuzz target takes.

/// Longest input that is made, in bytes.
const LONGEST: usize = 4 << 10;

/// Most changes to one input.
const CHANGES: usize = 4;

/// Bytes at the edges of what parsers tell apart.
const EDGES: &[u8] =
    b"\0\x01\t\n\x0b\r \"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xbf\xc3\xff";

/// A source of changes.
pub(super) struct Mutator {
    state: u64,
}

impl Mutator {
    /// Makes the same changes for the same name.
    pub(super) fn new(name: &str) -> Mutator {
        let state = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Mutator { state }
    }

    /// One of `inputs`, changed here and there. `words` are what is likely to be understood.
    pub(super) fn mutate(&mut self, inputs: &[Vec<u8>], words: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(CHANGES) {
            self.change(&mut bytes, inputs, words);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, inputs: &[Vec<u8>], words: &[Vec<u8>]) {
        let range = self.range(bytes.len());
        match self.below(8) {
            0 => bytes.truncate(range.start),
            1 => drop(bytes.drain(range)),
            2 => {
                let again = bytes[range.clone()].to_vec();
                bytes.splice(range.end..range.end, again);
            }
            3 => {
                let other = &inputs[self.below(inputs.len())];
                let part = self.range(other.len());
                bytes.splice(range, other[part].iter().copied());
            }
            4 if !bytes.is_empty() => {
                let at = self.below(bytes.len());
                bytes[at] ^= 1 << self.below(8);
            }
            5 if !bytes.is_empty() => {
                let at = self.below(bytes.len());
                bytes[at] = EDGES[self.below(EDGES.len())];
            }
            6 if !words.is_empty() => {
                let word = &words[self.below(words.len())];
                bytes.splice(range.start..range.start, word.iter().copied());
            }
            _ => bytes.insert(range.start, EDGES[self.below(EDGES.len())]),
        }
    }

    /// A part of something of this length, mostly a short one.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 16 };
        let size = self.below((length - start).min(most) + 1);
        start..start + size
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}
