//! Inputs from seeds, without knowledge of what they are.

/// Numbers that look random and are the same every time.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// One below a bound; 0 below 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.number() % (bound.max(1) as u64)) as usize
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let len = self.below(most + 1);
        (0..len).map(|_| self.number() as u8).collect()
    }
}

/// Numbers at which something happens.
const EDGES: [u64; 18] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x00ff_ffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Another input.
pub fn mutate(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    if seeds.is_empty() || random.below(20) == 0 {
        return random.bytes(300);
    }
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(5) {
        change(&mut input, seeds, random);
    }
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len());
    let some = random.below(24).min(input.len() - at.min(input.len()));
    match random.below(9) {
        0 => input.truncate(at),
        1 => drop(input.drain(at..at + some)),
        2 => drop(input.splice(at..at, random.bytes(24))),
        3 => {
            let copied = input[at..at + some].to_vec();
            let to = random.below(input.len());
            input.splice(to..to, copied);
        }
        4 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len());
            let len = random.below(64).min(other.len() - from.min(other.len()));
            input.splice(at..at + some, other[from.min(other.len())..][..len].iter().copied());
        }
        5 | 6 => overwrite(input, at, random),
        _ if !input.is_empty() => input[at] ^= 1 << random.below(8),
        _ => {}
    }
}

fn overwrite(input: &mut [u8], at: usize, random: &mut Random) {
    let edge = EDGES[random.below(EDGES.len())];
    let number =
        if random.below(3) == 0 { random.number() } else { edge.wrapping_add(random.below(3) as u64) };
    let width = 1 << random.below(4);
    let bytes = match random.below(2) {
        0 => number.to_le_bytes()[..width].to_vec(),
        _ => number.to_be_bytes()[8 - width..].to_vec(),
    };
    for (to, from) in input[at..].iter_mut().zip(bytes) {
        *to = from;
    }
}
