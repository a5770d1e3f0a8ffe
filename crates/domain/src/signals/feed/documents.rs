//! Finds where documents begin and end in a text: JSON objects alone, one a line, over many lines or in an array; XML
//! documents one after the other. A document that is broken off ends where the next one begins.

use crate::signals::scaip;

/// Longest document kept; decoders take less.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// Who is told of a document and the line it began on.
type Tell<'a> = &'a mut dyn FnMut(usize, &[u8]);

/// What has come of a document so far.
#[derive(Debug, Default)]
pub(super) struct Documents {
    held: Vec<u8>,
    /// Line on which what is held began.
    from: usize,
    /// Brackets that are open in it.
    open: Vec<u8>,
    string: bool,
    escape: bool,
    /// Whether we stand in an array of documents.
    array: bool,
}

impl Documents {
    /// Whether a line stands for itself.
    pub(super) fn idle(&self) -> bool {
        self.held.is_empty() && !self.array
    }

    /// What was begun and never ended.
    pub(super) fn end(&mut self) -> Option<(usize, Vec<u8>)> {
        let held = std::mem::take(&mut self.held);
        let from = self.from;
        *self = Documents::default();
        (!held.trim_ascii().is_empty()).then_some((from, held))
    }

    /// Takes a line of XML.
    pub(super) fn xml_line(&mut self, line: usize, text: &[u8], tell: Tell<'_>) {
        if self.held.is_empty() {
            self.from = line;
        }
        if self.held.len() + text.len() > DOCUMENT_BYTES_MAX {
            // Too long to be one; its decoder says so.
            self.held.truncate(DOCUMENT_BYTES_MAX);
            self.held.resize(DOCUMENT_BYTES_MAX, b' ');
            tell(self.from, &self.held);
            self.held.clear();
            self.from = line;
        }
        self.held.extend_from_slice(&text[..text.len().min(DOCUMENT_BYTES_MAX)]);
        self.held.push(b'\n');
        if !text.contains(&b'>') {
            return;
        }
        let mut at = 0;
        while at < self.held.len() {
            let (used, document) = scaip::next_document(&self.held[at..]);
            let (Some(document), used) = (document, used) else { break };
            let before = &self.held[at..at + used - document.len()];
            if !before.trim_ascii().is_empty() {
                tell(self.from, before);
            }
            tell(self.from, document);
            at += used;
            self.from = line;
        }
        self.held.drain(..at);
        if self.held.trim_ascii().is_empty() {
            self.held.clear();
        }
    }

    /// Takes a line of JSON.
    pub(super) fn json_line(&mut self, line: usize, text: &[u8], tell: Tell<'_>) {
        // A document that begins at the edge where none can: the one before was broken off.
        if text.first() == Some(&b'{') && !self.held.is_empty() && !self.value_expected() {
            self.over(tell);
        }
        for byte in text.iter().copied().chain([b'\n']) {
            if self.held.is_empty() {
                self.between(line, byte);
            } else {
                self.within(byte, tell);
            }
        }
        // A word that is no document ends with its line; a text cannot go on over it.
        if !self.held.is_empty() && self.open.is_empty() {
            self.over(tell);
        }
        self.string = false;
    }

    fn between(&mut self, line: usize, byte: u8) {
        match byte {
            b'[' if !self.array => self.array = true,
            b']' if self.array => self.array = false,
            b',' if self.array => {}
            blank if blank.is_ascii_whitespace() => {}
            first => {
                self.from = line;
                self.held.push(first);
                if matches!(first, b'{' | b'[') {
                    self.open.push(first);
                }
            }
        }
    }

    fn within(&mut self, byte: u8, tell: Tell<'_>) {
        let word = self.open.is_empty();
        if word && (matches!(byte, b'{' | b'\n') || self.array && matches!(byte, b',' | b']')) {
            self.over(tell);
            return self.between(self.from, byte);
        }
        if self.held.len() < DOCUMENT_BYTES_MAX {
            self.held.push(byte);
        }
        match byte {
            _ if self.escape => self.escape = false,
            b'\\' if self.string => self.escape = true,
            b'"' => self.string = !self.string,
            _ if self.string || word => {}
            b'{' | b'[' if self.open.len() < DOCUMENT_BYTES_MAX => self.open.push(byte),
            b'}' | b']' => {
                self.open.pop();
                if self.open.is_empty() {
                    self.over(tell);
                }
            }
            _ => {}
        }
    }

    /// Whether an opening brace can come next in what is held.
    fn value_expected(&self) -> bool {
        match self.held.trim_ascii_end().last() {
            Some(b':' | b'[') => true,
            Some(b',') => self.open.last() == Some(&b'['),
            _ => false,
        }
    }

    /// Tells what is held and begins anew.
    fn over(&mut self, tell: Tell<'_>) {
        tell(self.from, &self.held);
        self.held.clear();
        self.open.clear();
        (self.string, self.escape) = (false, false);
    }
}
