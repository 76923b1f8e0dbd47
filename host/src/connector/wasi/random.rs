//! `wasi:random`: numbers that look random and are the same in each call.

use super::{Caller, Interface, Stop, state};

/// Most bytes that one call gives: programs take tens, to seed a generator of their own.
pub(super) const MAX_BYTES: u64 = 64 << 10;

/// Where each instance begins. No number is better than another.
const SEED: u64 = 0x41_69_72_6c_6f_63_6b_21;

/// The SplitMix64 generator: small, and good enough for what keeps no secrets.
pub(super) struct Generator(u64);

impl Generator {
    /// The beginning.
    pub(super) fn new() -> Generator {
        Generator(SEED)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Stop> {
        if count > MAX_BYTES {
            return Err(Stop::TooRandom(count));
        }
        let count = usize::try_from(count).unwrap_or_default();
        let words = std::iter::repeat_with(|| self.next().to_le_bytes());
        Ok(words.flatten().take(count).collect())
    }
}

pub(super) fn random(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    both(linked, "get-random-bytes", "get-random-u64")
}

pub(super) fn insecure(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    both(
        linked,
        "get-insecure-random-bytes",
        "get-insecure-random-u64",
    )
}

fn both(linked: &mut Interface<'_>, bytes: &str, number: &str) -> wasmtime::Result<()> {
    linked.func_wrap(bytes, |mut caller: Caller<'_>, (count,): (u64,)| {
        Ok((state(&mut caller)?.random.bytes(count)?,))
    })?;
    linked.func_wrap(number, |mut caller: Caller<'_>, ()| {
        Ok((state(&mut caller)?.random.next(),))
    })
}

pub(super) fn seed(linked: &mut Interface<'_>) -> wasmtime::Result<()> {
    linked.func_wrap("insecure-seed", |mut caller: Caller<'_>, ()| {
        let random = &mut state(&mut caller)?.random;
        Ok(((random.next(), random.next()),))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers that the authors of SplitMix64 give for the seed 1234567.
    #[test]
    fn the_generator_is_splitmix64() {
        let mut generator = Generator(1_234_567);
        let numbers = [(); 3].map(|()| generator.next());
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn more_bytes_than_the_most_are_refused() {
        let count = usize::try_from(MAX_BYTES).unwrap();
        assert_eq!(Generator::new().bytes(MAX_BYTES).unwrap().len(), count);
        assert!(Generator::new().bytes(MAX_BYTES + 1).is_err());
        assert_eq!(Generator::new().bytes(5).unwrap().len(), 5);
    }
}
