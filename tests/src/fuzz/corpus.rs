//! The committed corpus of a target, and its run without a fuzzer.

use super::Target;
use super::mutate::Mutator;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

/// Where the fuzz crate is.
const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz");

/// Length of the names that libFuzzer gives to what it finds. Git ignores those files.
const FOUND_NAME: usize = 40;

impl Target {
    /// Checks the corpus and `mutations` changes of it. They are the same each time.
    ///
    /// # Panics
    /// Where a property does not hold; the input is printed.
    pub fn replay(&self, mutations: usize) {
        for input in self.inputs(mutations) {
            let checked = catch_unwind(AssertUnwindSafe(|| (self.check)(&input)));
            if let Err(panic) = checked {
                eprintln!(
                    "{} fails for the {} bytes b\"{}\"; put them into a file of its corpus",
                    self.name,
                    input.len(),
                    input.escape_ascii()
                );
                resume_unwind(panic);
            }
        }
    }

    /// The corpus, and `mutations` changes of it.
    pub fn inputs(&self, mutations: usize) -> impl Iterator<Item = Vec<u8>> + use<> {
        let corpus = self.corpus();
        assert!(!corpus.is_empty(), "{} has no corpus", self.name);
        let words = words(&self.dictionary());
        let mut mutator = Mutator::new(self.name);
        let inputs = corpus.clone();
        let mutated = (0..mutations).map(move |_| mutator.mutate(&inputs, &words));
        corpus.into_iter().chain(mutated)
    }

    /// The dictionary for libFuzzer.
    #[must_use]
    pub fn dictionary(&self) -> PathBuf {
        Path::new(FUZZ).join("dictionaries").join(self.name)
    }

    fn corpus(&self) -> Vec<Vec<u8>> {
        let directory = Path::new(FUZZ).join("corpus").join(self.name);
        let files = fs::read_dir(directory).unwrap();
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.file_name().unwrap().len() != FOUND_NAME);
        files.sort();
        files.iter().map(|file| fs::read(file).unwrap()).collect()
    }
}

/// The words of a dictionary: one in double quotes for each line, with `\xNN`, `\\` and `\"`.
fn words(dictionary: &Path) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(dictionary).unwrap();
    let lines = text.lines().filter(|line| line.starts_with('"'));
    lines
        .map(|line| unescaped(&line[1..line.len() - 1]))
        .collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = word.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => match rest.next().unwrap() {
                b'x' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    let digits = str::from_utf8(&digits).unwrap();
                    bytes.push(u8::from_str_radix(digits, 16).unwrap());
                }
                escaped => bytes.push(escaped),
            },
            plain => bytes.push(plain),
        }
    }
    bytes
}
