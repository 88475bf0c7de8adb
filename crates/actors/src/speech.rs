//! Speech: the mouth shapes that go with the phonemes of espeak-ng.

/// Shapes of the mouth that sounds have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Viseme {
    Silence,
    /// p, b, m: lips closed.
    Pp,
    /// f, v: teeth on the lower lip.
    Ff,
    /// th.
    Th,
    /// t, d, n, l.
    Dd,
    /// k, g, ng, h.
    Kk,
    /// ch, j, sh: lips forward.
    Ch,
    /// s, z.
    Ss,
    Rr,
    Aa,
    E,
    I,
    O,
    U,
}

impl Viseme {
    pub(crate) const ALL: [Self; 14] = [
        Self::Silence,
        Self::Pp,
        Self::Ff,
        Self::Th,
        Self::Dd,
        Self::Kk,
        Self::Ch,
        Self::Ss,
        Self::Rr,
        Self::Aa,
        Self::E,
        Self::I,
        Self::O,
        Self::U,
    ];

    /// Finds the shape of an espeak-ng phoneme, by the letters its name begins with.
    pub(crate) fn of(phoneme: &str) -> Self {
        let name = phoneme.trim_start_matches(['\'', ',', '%', '=']);
        let starts = |heads: &[&str]| heads.iter().any(|head| name.starts_with(head));
        if starts(&["tS", "dZ", "S", "Z"]) {
            return Self::Ch;
        }
        match name.chars().next() {
            Some('p' | 'b' | 'm') => Self::Pp,
            Some('f' | 'v') => Self::Ff,
            Some('T' | 'D') => Self::Th,
            Some('t' | 'd' | 'n' | 'l') => Self::Dd,
            Some('k' | 'g' | 'N' | 'h' | 'x') => Self::Kk,
            Some('s' | 'z') => Self::Ss,
            Some('r' | '3') => Self::Rr,
            Some('a' | 'A' | '0' | 'V') => Self::Aa,
            Some('e' | 'E' | '@') => Self::E,
            Some('i' | 'I' | 'j') => Self::I,
            Some('o' | 'O') => Self::O,
            Some('u' | 'U' | 'w') => Self::U,
            _ => Self::Silence,
        }
    }

    /// Gives the expressions that make the shape; names without a side stand for both.
    pub(crate) fn shapes(self) -> &'static [(&'static str, f32)] {
        SHAPES[self as usize]
    }
}

/// Expressions of each mouth shape, in the order of [`Viseme`].
const SHAPES: [&[(&str, f32)]; 14] = [
    // Silence
    &[],
    // Pp
    &[
        ("mouthPress", 0.30),
        ("mouthRollLower", 0.22),
        ("mouthRollUpper", 0.20),
    ],
    // Ff
    &[
        ("jawOpen", 0.05),
        ("mouthRollLower", 0.50),
        ("mouthUpperUp", 0.25),
    ],
    // Th
    &[
        ("jawOpen", 0.12),
        ("mouthLowerDown", 0.30),
        ("mouthUpperUp", 0.10),
    ],
    // Dd
    &[
        ("jawOpen", 0.10),
        ("mouthLowerDown", 0.28),
        ("mouthStretch", 0.08),
    ],
    // Kk
    &[
        ("jawOpen", 0.13),
        ("mouthLowerDown", 0.18),
        ("mouthUpperUp", 0.08),
    ],
    // Ch
    &[
        ("jawOpen", 0.06),
        ("mouthFunnel", 0.50),
        ("mouthPucker", 0.20),
        ("mouthLowerDown", 0.15),
    ],
    // Ss
    &[
        ("jawOpen", 0.03),
        ("mouthStretch", 0.25),
        ("mouthLowerDown", 0.32),
        ("mouthSmile", 0.10),
    ],
    // Rr
    &[
        ("jawOpen", 0.10),
        ("mouthPucker", 0.30),
        ("mouthFunnel", 0.25),
    ],
    // Aa
    &[
        ("jawOpen", 0.34),
        ("mouthLowerDown", 0.25),
        ("mouthUpperUp", 0.15),
    ],
    // E
    &[
        ("jawOpen", 0.20),
        ("mouthStretch", 0.18),
        ("mouthLowerDown", 0.25),
        ("mouthUpperUp", 0.12),
    ],
    // I
    &[
        ("jawOpen", 0.10),
        ("mouthStretch", 0.28),
        ("mouthSmile", 0.18),
        ("mouthLowerDown", 0.25),
    ],
    // O
    &[
        ("jawOpen", 0.24),
        ("mouthFunnel", 0.42),
        ("mouthPucker", 0.20),
    ],
    // U
    &[
        ("jawOpen", 0.11),
        ("mouthPucker", 0.55),
        ("mouthFunnel", 0.25),
    ],
];

/// A sound of a line: from when to when, and the mouth that makes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sound {
    pub(crate) from_secs: f32,
    pub(crate) to_secs: f32,
    pub(crate) viseme: Viseme,
}

/// What is said in a clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    pub(crate) sounds: Vec<Sound>,
}

/// A phoneme as espeak-ng names it, and when it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Phoneme {
    /// Counted from the first word.
    pub from_secs: f32,
    /// Such as `tS` or `aI`.
    pub name: String,
}

/// A voice of espeak-ng.
#[derive(Clone, Copy, Debug)]
pub struct Voice {
    /// As espeak-ng calls it.
    pub name: &'static str,
    /// Words a minute.
    pub rate: u32,
    /// How high, 0 to 99.
    pub pitch: u32,
}

impl Line {
    /// Silence before the first word.
    pub const PAUSE_SECS: f32 = 0.5;

    /// Makes the line that `phonemes` say in `secs`.
    pub fn spoken(phonemes: &[Phoneme], secs: f32) -> Self {
        let ends = phonemes.iter().skip(1).map(|next| next.from_secs);
        let sound = |(phoneme, to_secs): (&Phoneme, f32)| Sound {
            from_secs: phoneme.from_secs + Self::PAUSE_SECS,
            to_secs: to_secs + Self::PAUSE_SECS,
            viseme: Viseme::of(&phoneme.name),
        };
        Self {
            sounds: phonemes.iter().zip(ends.chain([secs])).map(sound).collect(),
        }
    }

    /// Gives the mouth shape that is sounding.
    pub(crate) fn viseme(&self, secs: f32) -> Viseme {
        let sounding = |s: &&Sound| (s.from_secs..s.to_secs).contains(&secs);
        let found = self.sounds.iter().find(sounding);
        found.map_or(Viseme::Silence, |s| s.viseme)
    }

    /// Gives how much of each mouth shape is seen: neighbours mix, and lips move a little before
    /// the sound.
    pub(crate) fn mouth(&self, secs: f32) -> [f32; 14] {
        const LEAD_SECS: f32 = 0.03;
        let mut shares = [0.0; 14];
        // Silence is what is left when nothing sounds near.
        shares[0] = 0.03;
        for sound in &self.sounds {
            let middle = 0.5 * (sound.from_secs + sound.to_secs) - LEAD_SECS;
            let width = 0.5 * (sound.to_secs - sound.from_secs) + 0.022;
            let away = (secs - middle) / width;
            if away.abs() > 4.0 {
                continue;
            }
            let strength = match sound.viseme {
                Viseme::Pp | Viseme::Ff => 3.0,
                Viseme::Ch => 1.5,
                Viseme::Kk | Viseme::Dd => 0.7,
                _ => 1.0,
            };
            shares[sound.viseme as usize] += strength * (-away * away).exp();
        }
        let sum: f32 = shares.iter().sum();
        shares.map(|share| share / sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phonemes_find_their_mouths() {
        let of = ["m", "aI", "tS", "T", "3:", "u:", "_:", "z", "i:", "oU"].map(Viseme::of);
        use Viseme::*;
        assert_eq!(of, [Pp, Aa, Ch, Th, Rr, U, Silence, Ss, I, O]);
    }

    #[test]
    fn lips_close_for_an_m_between_vowels() {
        let names = ["a", "m", "a"];
        let phoneme = |i: usize| Phoneme {
            from_secs: 0.15 * i as f32,
            name: names[i].to_owned(),
        };
        let line = Line::spoken(&[0, 1, 2].map(phoneme), 0.45);
        let closed = line.mouth(Line::PAUSE_SECS + 0.195)[Viseme::Pp as usize];
        let open = line.mouth(Line::PAUSE_SECS + 0.05)[Viseme::Aa as usize];
        assert!(closed > 0.6 && open > 0.6, "{closed} {open}");
        assert_eq!(line.viseme(Line::PAUSE_SECS + 0.2), Viseme::Pp);
        assert_eq!(line.viseme(3.0), Viseme::Silence);
    }
}
