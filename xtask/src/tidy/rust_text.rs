//! Just enough of Rust's grammar to tell code, comments and string literals apart.

/// A Rust file taken apart. Lines count from 1.
pub(super) struct RustText {
    /// The file with comments and the contents of literals blanked; lines and columns stay where they are.
    pub(super) code: String,
    /// String literals with the line they begin on.
    pub(super) strings: Vec<(usize, String)>,
    /// The line of `#[cfg(test)]` at the margin, from which the rest of the file is tests.
    pub(super) test_from: usize,
}

impl RustText {
    pub(super) fn of(text: &str) -> RustText {
        let mut reader =
            Reader { text: text.as_bytes(), at: 0, line: 1, code: Vec::new(), strings: Vec::new() };
        reader.read();
        let code = String::from_utf8_lossy(&reader.code).into_owned();
        let test_line = code.lines().position(|line| line.starts_with("#[cfg(test)]"));
        RustText { code, strings: reader.strings, test_from: test_line.map_or(usize::MAX, |line| line + 1) }
    }
}

/// The line, from 1, that holds a byte.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    code: Vec<u8>,
    strings: Vec<(usize, String)>,
}

impl Reader<'_> {
    fn read(&mut self) {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            if rest.starts_with(b"//") {
                self.blank_while(|rest| rest[0] != b'\n');
            } else if rest.starts_with(b"/*") {
                self.block_comment();
            } else if rest[0] == b'"' {
                self.string();
            } else if rest[0] == b'r' && !self.after_word() && raw_hashes(rest).is_some() {
                self.raw_string(raw_hashes(rest).unwrap_or_default());
            } else if rest[0] == b'\'' && is_char(rest) {
                self.char();
            } else {
                self.keep();
            }
        }
    }

    /// Whether the byte before belongs to a word, so that the `r` of `for"` is not a raw string; `br"` is one.
    fn after_word(&self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).map_or(b' ', |at| self.text[at]);
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let prefix = matches!(before(1), b'b' | b'c') && !word(before(2));
        word(before(1)) && !prefix
    }

    fn keep(&mut self) {
        self.push(self.text[self.at]);
    }

    fn blank(&mut self) {
        let byte = self.text[self.at];
        self.push(if byte == b'\n' { b'\n' } else { b' ' });
    }

    fn push(&mut self, byte: u8) {
        self.line += usize::from(byte == b'\n');
        self.code.push(byte);
        self.at += 1;
    }

    fn blank_while(&mut self, more: impl Fn(&[u8]) -> bool) {
        while self.at < self.text.len() && more(&self.text[self.at..]) {
            self.blank();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let step = match () {
                () if rest.starts_with(b"/*") => 1,
                () if rest.starts_with(b"*/") => -1,
                () => 0,
            };
            depth += step;
            self.blank();
            if step != 0 {
                self.blank();
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        let (line, from) = (self.line, self.at + 1);
        self.keep();
        while self.at < self.text.len() && self.text[self.at] != b'"' {
            if self.text[self.at] == b'\\' && self.at + 1 < self.text.len() {
                self.blank();
            }
            self.blank();
        }
        self.remember(line, from);
        if self.at < self.text.len() {
            self.keep();
        }
    }

    fn raw_string(&mut self, hashes: usize) {
        let line = self.line;
        let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
        for _ in 0..hashes + 2 {
            self.keep();
        }
        let from = self.at;
        self.blank_while(|rest| !rest.starts_with(&close));
        self.remember(line, from);
        for _ in 0..close.len().min(self.text.len() - self.at) {
            self.keep();
        }
    }

    fn remember(&mut self, line: usize, from: usize) {
        self.strings.push((line, String::from_utf8_lossy(&self.text[from..self.at]).into_owned()));
    }

    fn char(&mut self) {
        self.keep();
        if self.text[self.at..].starts_with(b"\\") {
            self.blank();
            if self.at < self.text.len() {
                self.blank();
            }
        }
        self.blank_while(|rest| rest[0] != b'\'');
        if self.at < self.text.len() {
            self.keep();
        }
    }
}

/// How many `#` stand between `r` and `"`; None if this begins no raw string.
fn raw_hashes(rest: &[u8]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    (rest.get(1 + hashes) == Some(&b'"')).then_some(hashes)
}

/// `'a'` and `'\n'` are chars, `'a` alone is a lifetime.
fn is_char(rest: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(8)]).into_owned();
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first == '\\' || chars.next() == Some('\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let read = RustText::of("a // b\n/* c /* d */\n*/ e \"f\\\"g\" 'h' '\\'' 'i: j");
        assert_eq!(read.code, "a     \n            \n   e \"    \" ' ' '  ' 'i: j");
        assert_eq!(read.strings, [(3, "f\\\"g".to_owned())]);
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        let read = RustText::of("br#\"x \" y\"# for\"z\" r\"w\\\"");
        let strings: Vec<&str> = read.strings.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(strings, ["x \" y", "z", "w\\"]);
    }

    #[test]
    fn unfinished_files_are_read_to_their_end() {
        for text in ["\"", "r#\"", "/*", "'", "'\\", "\"\\", "//"] {
            assert_eq!(RustText::of(text).code.len(), text.len());
        }
    }

    #[test]
    fn tests_begin_at_the_margin() {
        assert_eq!(RustText::of("fn a() {}\n#[cfg(test)]\nmod tests {}").test_from, 2);
        assert_eq!(RustText::of("impl A {\n    #[cfg(test)]\n    fn b() {}\n}").test_from, usize::MAX);
    }
}
