//! What shall happen to a connection, and when.

use super::message::Part;
use std::time::Duration;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// From the host to the server.
    ToServer,
    /// From the server to the host.
    ToHost,
}

/// A message of one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// By its number, from 0.
    Number(usize),
    /// By its number, from 0, among those of a kind: the byte that it begins with,
    /// [`STARTUP`](super::STARTUP) or [`CANCEL`](super::CANCEL).
    Kind(u8, usize),
    /// The first of a kind that holds a text within its first 64 KiB.
    Text(u8, &'static str),
}

/// On which side of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing of the message is passed on before.
    Before,
    /// All of it is.
    After,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// Both sides are closed.
    Cut,
    /// Both sides get RST.
    Reset,
    /// Nothing more is read in this flow, so that its sender has to wait.
    Stall,
    /// What comes is dropped, in both flows, and no side learns of the end of the other.
    BlackHole,
    /// Bytes are passed on one by one in this flow.
    Slice,
    /// What comes in this flow is late by so much.
    Delay(Duration),
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The flow that is watched.
    pub flow: Flow,
    /// The message.
    pub at: At,
    /// The side of it.
    pub place: Place,
    /// What happens there.
    pub what: Break,
}

/// What happens to one connection. Each rule takes hold once.
pub type Script = Vec<Rule>;

/// Rules and what they have seen of one flow.
pub(super) struct Watch {
    rules: Script,
    messages: usize,
    of_kind: [usize; 256],
}

impl Watch {
    pub(super) fn new(script: &Script, flow: Flow) -> Watch {
        Watch {
            rules: script
                .iter()
                .filter(|rule| rule.flow == flow)
                .copied()
                .collect(),
            messages: 0,
            of_kind: [0; 256],
        }
    }

    /// What happens on this side of a message.
    pub(super) fn see(&mut self, part: &Part, place: Place) -> Vec<Break> {
        let of_kind = self.of_kind[usize::from(part.kind)];
        let is_it = |rule: &Rule| {
            rule.place == place
                && match rule.at {
                    At::Number(number) => number == self.messages,
                    At::Kind(kind, number) => kind == part.kind && number == of_kind,
                    At::Text(kind, text) => kind == part.kind && part.holds(text),
                }
        };
        let (now, later) = self.rules.iter().partition(|rule| is_it(rule));
        self.rules = later;
        let now: Script = now;
        now.iter().map(|rule| rule.what).collect()
    }

    /// A message is through.
    pub(super) fn count(&mut self, part: &Part) {
        self.messages += 1;
        self.of_kind[usize::from(part.kind)] += 1;
    }
}

/// Scripts by chance: each breaks its connection once, at any message of either flow. The same seed
/// gives the same scripts.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
    messages: usize,
    breaks: Vec<Break>,
}

impl Random {
    /// Breaks somewhere within so many messages, in one of these ways.
    #[must_use]
    pub fn new(seed: u64, messages: usize, breaks: &[Break]) -> Random {
        Random {
            state: seed,
            messages,
            breaks: breaks.to_vec(),
        }
    }

    /// The next script.
    pub fn script(&mut self) -> Script {
        let flow = [Flow::ToServer, Flow::ToHost][self.below(2)];
        let place = [Place::Before, Place::After][self.below(2)];
        let at = At::Number(self.below(self.messages));
        let what = self.below(self.breaks.len());
        let what = self.breaks[what];
        vec![Rule {
            flow,
            at,
            place,
            what,
        }]
    }

    /// A number below `end`, by SplitMix64.
    pub fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }
}
