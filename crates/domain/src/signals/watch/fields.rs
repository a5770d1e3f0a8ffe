//! Fields between commas, read one after the other without copying; what is no number is none.

/// What is left of a content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(content: &'a [u8]) -> Fields<'a> {
        Fields { rest: Some(content) }
    }

    /// What has not been read yet.
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest.unwrap_or_default()
    }

    /// Whether every field has been read.
    pub(super) fn over(self) -> bool {
        self.rest.is_none()
    }

    /// The next field, without blanks around it.
    pub(super) fn word(&mut self) -> &'a [u8] {
        self.raw().trim_ascii()
    }

    /// The next field as it was sent.
    pub(super) fn raw(&mut self) -> &'a [u8] {
        let Some(rest) = self.rest else { return &[] };
        match rest.iter().position(|b| *b == b',') {
            Some(comma) => {
                self.rest = Some(&rest[comma + 1..]);
                &rest[..comma]
            }
            None => {
                self.rest = None;
                rest
            }
        }
    }

    /// A whole number. Some watches write `7.0` for one.
    pub(super) fn int(&mut self) -> Option<i64> {
        let word = self.word();
        int(word).or_else(|| real(word).filter(|x| x.fract() == 0.0 && x.abs() < 1e15).map(|x| x as i64))
    }

    /// A number.
    pub(super) fn real(&mut self) -> Option<f64> {
        real(self.word())
    }
}

fn int(word: &[u8]) -> Option<i64> {
    let (negative, digits) = match word {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let size =
        digits.iter().try_fold(0i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))?;
    Some(if negative { -size } else { size })
}

fn real(word: &[u8]) -> Option<f64> {
    // `inf` and `nan` are numbers to Rust and to nobody else.
    let plain = word.iter().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    let value: f64 = std::str::from_utf8(word).ok().filter(|_| plain)?.parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_with_blanks_signs_and_points() {
        let mut fields = Fields::of(b" 7, -3 ,+5,7.0,7.5,,x,99999999999999999999,0099");
        let ints: Vec<_> = (0..9).map(|_| fields.int()).collect();
        assert_eq!(ints, [Some(7), Some(-3), Some(5), Some(7), None, None, None, None, Some(99)]);
        assert!(fields.over() && fields.int().is_none());
        let mut fields = Fields::of(b" 9.1574736,-.5,nan,inf,1e400, ");
        let reals: Vec<_> = (0..6).map(|_| fields.real()).collect();
        assert_eq!(reals, [Some(9.157_473_6), Some(-0.5), None, None, None, None]);
    }
}
