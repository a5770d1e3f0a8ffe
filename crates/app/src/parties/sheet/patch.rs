//! Adds a column to a sheet inside an `.xlsx` without touching anything else of it.
//!
//! Only the sheet's own XML is rewritten, and of that only the places that must change: every
//! other byte is copied, every other part of the package is taken over packed as it is. So fonts,
//! widths, print settings, other sheets and what we never heard of stay as they were.

use std::io::{Cursor, Read, Write};

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::book::column_letters;
use super::write::{ERROR_COLUMN_WIDTH, Notes};

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// `None` when the package is not built as we know it.
pub(super) fn xlsx(original: &[u8], sheet: &str, notes: &Notes) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(original)).ok()?;
    let path = sheet_path(&mut archive, sheet)?;
    let xml = part(&mut archive, &path)?;
    let patched = Patch::new(&xml, notes).run()?;
    let place = index(&archive, &path)?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(original.len() * 2)));
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).ok()?;
        if at != place {
            writer.raw_copy_file(entry).ok()?;
            continue;
        }
        let name = entry.name().ok()?.into_owned();
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(name, options).ok()?;
        writer.write_all(patched.as_bytes()).ok()?;
    }
    writer.finish().ok().map(Cursor::into_inner)
}

fn index(archive: &Archive<'_>, path: &str) -> Option<usize> {
    (0..archive.len()).find(|at| {
        archive
            .name_for_index(*at)
            .and_then(Result::ok)
            .is_some_and(|name| name.replace('\\', "/").eq_ignore_ascii_case(path))
    })
}

fn part(archive: &mut Archive<'_>, path: &str) -> Option<String> {
    let at = index(archive, path)?;
    let mut text = String::new();
    archive.by_index(at).ok()?.read_to_string(&mut text).ok()?;
    // Positions are counted behind the mark.
    Some(text.trim_start_matches('\u{FEFF}').to_owned())
}

/// Follows the package's own links: root → workbook → the sheet of that name.
fn sheet_path(archive: &mut Archive<'_>, sheet: &str) -> Option<String> {
    let root = part(archive, "_rels/.rels")?;
    let (_, book) = relations(&root).into_iter().find(|(link, _)| link.kind.ends_with("/officeDocument"))?;
    let book = resolve("", &book);
    let (folder, file) = book.rsplit_once('/').unwrap_or(("", &book));
    let rels =
        if folder.is_empty() { format!("_rels/{file}.rels") } else { format!("{folder}/_rels/{file}.rels") };
    let links = relations(&part(archive, &rels)?);
    let id = sheet_id(&part(archive, &book)?, sheet)?;
    let (_, target) = links.into_iter().find(|(link, _)| link.id == id)?;
    Some(resolve(folder, &target))
}

struct Link {
    id: String,
    kind: String,
}

fn relations(xml: &str) -> Vec<(Link, String)> {
    let mut found = Vec::new();
    let mut reader = Reader::from_str(xml);
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(e) | Event::Empty(e) if e.local_name().as_ref() == "Relationship" => {
                if let (Some(id), Some(kind), Some(target)) =
                    (attr(&e, "Id"), attr(&e, "Type"), attr(&e, "Target"))
                {
                    found.push((Link { id, kind }, target));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    found
}

fn sheet_id(workbook: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(workbook);
    loop {
        match reader.read_event().ok()? {
            Event::Start(e) | Event::Empty(e)
                if e.local_name().as_ref() == "sheet" && attr(&e, "name").as_deref() == Some(name) =>
            {
                let mut attributes = e.attributes().flatten();
                return attributes
                    .find(|a| a.key.local_name().as_ref() == "id")
                    .map(|a| a.value.into_owned());
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn resolve(folder: &str, target: &str) -> String {
    let whole = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in whole.split('/').filter(|s| !s.is_empty() && *s != ".") {
        if step == ".." {
            steps.pop();
        } else {
            steps.push(step);
        }
    }
    steps.join("/")
}

fn attr(e: &BytesStart<'_>, name: &str) -> Option<String> {
    let value = e.try_get_attribute(name).ok()??.value;
    unescape(&value).ok().map(|v| v.into_owned())
}

/// The walk over one sheet's XML.
struct Patch<'a> {
    xml: &'a str,
    notes: &'a Notes,
    letters: String,
    out: String,
    /// Everything before this byte is in `out`, or was dropped on purpose.
    copied: usize,
    row: u32,
    column: u32,
    /// The style of the last cell of the title row, for the title of our column.
    title_style: Option<String>,
    widths_seen: bool,
    /// A width reaches our column already.
    width_taken: bool,
}

impl<'a> Patch<'a> {
    fn new(xml: &'a str, notes: &'a Notes) -> Patch<'a> {
        let out = String::with_capacity(xml.len() + notes.texts.len() * 200);
        let letters = column_letters(notes.column);
        Patch {
            xml,
            notes,
            letters,
            out,
            copied: 0,
            row: 0,
            column: 0,
            title_style: None,
            widths_seen: false,
            width_taken: false,
        }
    }

    fn run(mut self) -> Option<String> {
        let mut reader = Reader::from_str(self.xml);
        let mut prefix = String::new();
        loop {
            let from = position(&reader);
            let event = reader.read_event().ok()?;
            let to = position(&reader);
            match event {
                Event::Start(e) if e.local_name().as_ref() == "worksheet" => prefix = prefix_of(&e),
                Event::Start(e) if e.local_name().as_ref() == "cols" => self.widths_seen = true,
                Event::End(e) if e.local_name().as_ref() == "cols" => self.end_widths(from, &prefix),
                Event::Empty(e) | Event::Start(e) if e.local_name().as_ref() == "col" => self.width(&e),
                Event::Empty(e) | Event::Start(e) if e.local_name().as_ref() == "dimension" => {
                    self.dimension(&e, from, to);
                }
                Event::Start(e) if e.local_name().as_ref() == "sheetData" => {
                    if !self.widths_seen {
                        self.copy_to(from);
                        let width = self.width_xml(&prefix);
                        self.out.push_str(&format!("<{prefix}cols>{width}</{prefix}cols>"));
                    }
                    self.sheet_data(&mut reader, &prefix)?;
                }
                Event::Empty(e) if e.local_name().as_ref() == "sheetData" => return None,
                Event::Eof => break,
                _ => {}
            }
        }
        self.copy_to(self.xml.len());
        Some(self.out)
    }

    fn sheet_data(&mut self, reader: &mut Reader<&'a [u8]>, prefix: &str) -> Option<()> {
        loop {
            let from = position(reader);
            let event = reader.read_event().ok()?;
            let to = position(reader);
            match event {
                Event::Start(e) if e.local_name().as_ref() == "row" => {
                    self.row = self.place(&e, "r").unwrap_or(self.row + 1);
                    self.column = 0;
                    self.row_tag(from, to);
                    self.cells(reader, prefix)?;
                }
                // A row without cells still counts.
                Event::Empty(e) if e.local_name().as_ref() == "row" => {
                    self.row = self.place(&e, "r").unwrap_or(self.row + 1);
                }
                Event::End(e) if e.local_name().as_ref() == "sheetData" => return Some(()),
                Event::Eof => return None,
                _ => {}
            }
        }
    }

    fn cells(&mut self, reader: &mut Reader<&'a [u8]>, prefix: &str) -> Option<()> {
        let mut written = false;
        let mut old_style = None;
        loop {
            let from = position(reader);
            let event = reader.read_event().ok()?;
            let (closed, e) = match event {
                Event::Start(e) if e.local_name().as_ref() == "c" => (false, e),
                Event::Empty(e) if e.local_name().as_ref() == "c" => (true, e),
                Event::End(e) if e.local_name().as_ref() == "row" => {
                    if !written {
                        self.copy_to(from);
                        self.note(prefix, old_style.as_deref());
                    }
                    return Some(());
                }
                Event::Eof => return None,
                _ => continue,
            };
            if !closed {
                reader.read_to_end(e.name()).ok()?;
            }
            let column = attr(&e, "r").and_then(|r| column_of(&r)).unwrap_or(self.column);
            self.column = column + 1;
            let style = attr(&e, "s");
            if column < self.notes.column {
                if self.row == self.notes.title_row && style.is_some() {
                    self.title_style = style;
                }
            } else if column == self.notes.column {
                self.copy_to(from);
                self.copied = position(reader);
                old_style = style;
            } else if !written {
                self.copy_to(from);
                self.note(prefix, old_style.as_deref());
                written = true;
            }
        }
    }

    fn note(&mut self, prefix: &str, old_style: Option<&str>) {
        let Some(text) = self.notes.texts.get(&self.row) else {
            return;
        };
        let title = (self.row == self.notes.title_row).then_some(self.title_style.as_deref()).flatten();
        let style = old_style.or(title).map(|s| format!(" s=\"{}\"", escape(s))).unwrap_or_default();
        let text = escape(text.as_str());
        self.out.push_str(&format!(
            "<{prefix}c r=\"{}{}\"{style} t=\"inlineStr\"><{prefix}is><{prefix}t xml:space=\"preserve\">{text}</{prefix}t></{prefix}is></{prefix}c>",
            self.letters, self.row
        ));
    }

    /// `spans` is a hint about the columns of a row, wrong from now on where we add one.
    fn row_tag(&mut self, from: usize, to: usize) {
        if !self.notes.texts.contains_key(&self.row) {
            return;
        }
        let tag = &self.xml[from..to];
        let Some(start) = tag.find(" spans=") else { return };
        let value = &tag[start + 7..];
        let Some(quote) = value.chars().next() else { return };
        let Some(length) = value[1..].find(quote) else { return };
        self.copy_to(from + start);
        self.copied = from + start + 7 + length + 2;
    }

    fn dimension(&mut self, e: &BytesStart<'_>, from: usize, to: usize) {
        let Some(area) = attr(e, "ref") else { return };
        let (first, last) = area.split_once(':').unwrap_or((&area, &area));
        let digits = last.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        if column_of(last).is_none_or(|column| column >= self.notes.column) || digits.is_empty() {
            return;
        }
        let tag = &self.xml[from..to];
        let replaced = tag.replacen(&area, &format!("{first}:{}{digits}", self.letters), 1);
        self.copy_to(from);
        self.out.push_str(&replaced);
        self.copied = to;
    }

    /// A column that already has a width keeps it; two widths for one column are damage.
    fn width(&mut self, e: &BytesStart<'_>) {
        self.width_taken |= self.place(e, "max").is_none_or(|last| last > self.notes.column);
    }

    fn end_widths(&mut self, from: usize, prefix: &str) {
        if !self.width_taken {
            self.copy_to(from);
            let width = self.width_xml(prefix);
            self.out.push_str(&width);
        }
    }

    fn width_xml(&self, prefix: &str) -> String {
        let at = self.notes.column + 1;
        format!("<{prefix}col min=\"{at}\" max=\"{at}\" width=\"{ERROR_COLUMN_WIDTH}\" customWidth=\"1\"/>")
    }

    fn place(&self, e: &BytesStart<'_>, name: &str) -> Option<u32> {
        attr(e, name)?.parse().ok()
    }

    fn copy_to(&mut self, to: usize) {
        self.out.push_str(&self.xml[self.copied..to]);
        self.copied = to;
    }
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).expect("a text in memory has no longer positions")
}

/// `x:` where a writer names its elements `x:row`.
fn prefix_of(e: &BytesStart<'_>) -> String {
    e.name().as_ref().rsplit_once(':').map(|(prefix, _)| format!("{prefix}:")).unwrap_or_default()
}

/// `AB12` → 27
fn column_of(place: &str) -> Option<u32> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let column = letters.fold(0u32, |column, b| {
        column.saturating_mul(26).saturating_add(u32::from(b.to_ascii_uppercase() - b'A') + 1)
    });
    column.checked_sub(1)
}
