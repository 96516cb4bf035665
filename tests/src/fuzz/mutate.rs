//! Damage to bytes: blind, and such as a clever stranger would do.

/// Pieces that have broken parsers before.
const PIECES: [&[u8]; 48] = [
    b"\0",
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\\ud800",
    b"\\u0000",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"true",
    b"1e999",
    b"-1e-999",
    b"-0",
    b"18446744073709551615",
    b"18446744073709551616",
    b"-9223372036854775809",
    b"0x10",
    b"NaN",
    b"\"$blob\"",
    b"{\"$json\": 1}",
    b"\"$ref\": \"#\"",
    b"$dynamicRef",
    b"x-rules",
    b"(a+)+$",
    b"&a [*a, *a]",
    b"*a",
    b"!!binary",
    b"<<: *a",
    b"---\n",
    b"? ",
    b"${",
    b"}",
    b"'",
    b"..",
    b"*",
    b">",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\x7f\xff\xff\xff\x0f",
];

/// What nests, for many levels at once.
const NESTS: [(&[u8], &[u8]); 6] =
    [(b"[", b"]"), (b"{\"a\":", b"}"), (b"(", b")"), (b"- ", b""), (b"!", b""), (b"\x0a\x04", b"")];

/// Bytes of anything that is made here.
const BYTES_MAX: usize = 64 * 1024;

/// Makes damaged inputs out of good ones; the same ones for the same seed.
#[derive(Debug)]
pub struct Mutator {
    dice: fastrand::Rng,
    corpus: Vec<Vec<u8>>,
}

impl Mutator {
    /// Damages what is in `corpus`, which must not be empty.
    #[must_use]
    pub fn new(seed: u64, corpus: Vec<Vec<u8>>) -> Self {
        Self { dice: fastrand::Rng::with_seed(seed), corpus }
    }

    /// The next input: one to four kinds of damage on top of each other.
    pub fn mutant(&mut self) -> Vec<u8> {
        let mut bytes = self.any().to_vec();
        for _ in 0..self.dice.usize(1..=4) {
            self.damage(&mut bytes);
        }
        bytes.truncate(BYTES_MAX);
        bytes
    }

    fn any(&mut self) -> &[u8] {
        let index = self.dice.usize(..self.corpus.len());
        &self.corpus[index]
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.dice.usize(..=bytes.len());
        match self.dice.u8(..12) {
            0 => self.flip(bytes),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(..at)),
            3 => self.cut(bytes),
            4 => self.repeat(bytes),
            5 => self.splice(bytes),
            6 => self.nest(bytes),
            7 | 8 => self.number(bytes),
            9 => self.swap(bytes),
            10 => bytes.insert(at, self.dice.u8(..)),
            _ => {
                let piece = PIECES[self.dice.usize(..PIECES.len())];
                drop(bytes.splice(at..at, piece.iter().copied()));
            }
        }
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            bytes[self.dice.usize(..bytes.len())] ^= 1 << self.dice.u8(..8);
        }
    }

    /// A range that is there.
    fn range(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.dice.usize(..=bytes.len());
        let length = self.dice.usize(..=(bytes.len() - start).min(200));
        start..start + length
    }

    fn cut(&mut self, bytes: &mut Vec<u8>) {
        let range = self.range(bytes);
        bytes.drain(range);
    }

    /// The same again, up to a thousand times.
    fn repeat(&mut self, bytes: &mut Vec<u8>) {
        let range = self.range(bytes);
        let times = [1, 2, 10, 1_000][self.dice.usize(..4)];
        let (at, room) = (range.end, BYTES_MAX / range.len().max(1));
        let again = bytes[range].repeat(times.min(room));
        drop(bytes.splice(at..at, again));
    }

    /// Part of another good input.
    fn splice(&mut self, bytes: &mut Vec<u8>) {
        let other = self.any().to_vec();
        let (from, to) = (self.range(&other), self.range(bytes));
        drop(bytes.splice(to, other[from].iter().copied()));
    }

    fn nest(&mut self, bytes: &mut Vec<u8>) {
        let (open, close) = NESTS[self.dice.usize(..NESTS.len())];
        let levels = [3, 64, 65, 2_000][self.dice.usize(..4)];
        let range = self.range(bytes);
        let middle = bytes[range.clone()].to_vec();
        let nested = [open.repeat(levels), middle, close.repeat(levels)].concat();
        drop(bytes.splice(range, nested));
    }

    /// Another number in the place of one.
    fn number(&mut self, bytes: &mut Vec<u8>) {
        let starts: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        if starts.is_empty() {
            return;
        }
        let start = starts[self.dice.usize(..starts.len())];
        let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let numbers = ["0", "-1", "4294967296", "18446744073709551616", "1e400", "0.1", "00"];
        let number = numbers[self.dice.usize(..numbers.len())].bytes();
        drop(bytes.splice(start..start + length, number));
    }

    /// Two lines, in the other order.
    fn swap(&mut self, bytes: &mut Vec<u8>) {
        let mut lines: Vec<_> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let (one, other) = (self.dice.usize(..lines.len()), self.dice.usize(..lines.len()));
        lines.swap(one, other);
        *bytes = lines.join(&b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_damage() {
        let of = |seed| {
            let mut mutator = Mutator::new(seed, vec![b"{\"a\": 1}".to_vec(), b"x\ny".to_vec()]);
            (0..500).map(|_| mutator.mutant()).collect::<Vec<_>>()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert!(of(1).iter().all(|bytes| bytes.len() <= BYTES_MAX));
    }
}
