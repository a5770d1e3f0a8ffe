//! What a file is, by its bytes. Names lie: exports called `.xls` are often web pages.

use std::io::Cursor;

use super::book::Format;
use super::cfb::Compound;
use super::refusal::SheetRefusal;

/// What to do with the bytes.
#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    Workbook(Format),
    Text,
}

pub(super) fn sniff(bytes: &[u8]) -> Result<Kind, SheetRefusal> {
    if bytes.is_empty() {
        return Err(SheetRefusal::Empty);
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return zip(bytes).map(Kind::Workbook);
    }
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return compound(bytes).map(Kind::Workbook);
    }
    // BIFF 2 to 5 without a container: Excel 2 to 5.
    if let [0x09, 0x00 | 0x02 | 0x04 | 0x08, 0x04..=0x10, 0x00, ..] = bytes {
        return Err(SheetRefusal::OldFormat);
    }
    known_magic(bytes)?;
    markup(bytes)?;
    Ok(Kind::Text)
}

fn zip(bytes: &[u8]) -> Result<Format, SheetRefusal> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| SheetRefusal::Broken)?;
    let has = |end: &str| archive.file_names_raw().any(|name| name.ends_with(end.as_bytes()));
    if has("workbook.xml") {
        return Ok(Format::Xlsx);
    }
    if has("workbook.bin") {
        return Ok(Format::Xlsb);
    }
    if has("word/document.xml") {
        return Err(SheetRefusal::OtherFile { what: "Word文档" });
    }
    if has("ppt/presentation.xml") {
        return Err(SheetRefusal::OtherFile { what: "演示文稿" });
    }
    if !has("content.xml") {
        return Err(if archive.is_empty() { SheetRefusal::Empty } else { SheetRefusal::Archive });
    }
    let mut kind = Vec::new();
    if let Ok(entry) = archive.by_name("mimetype") {
        let mut head = std::io::Read::take(entry, 128);
        std::io::Read::read_to_end(&mut head, &mut kind).map_err(|_| SheetRefusal::Broken)?;
    }
    match kind.as_slice() {
        b"application/vnd.oasis.opendocument.spreadsheet" => Ok(Format::Ods),
        b"application/vnd.oasis.opendocument.text" => Err(SheetRefusal::OtherFile { what: "文字文档" }),
        _ => Err(SheetRefusal::Archive),
    }
}

fn compound(bytes: &[u8]) -> Result<Format, SheetRefusal> {
    let file = Compound::open(bytes).ok_or(SheetRefusal::Broken)?;
    if file.has("EncryptedPackage") {
        return Err(SheetRefusal::Password);
    }
    if file.has("Workbook") || file.has("Book") {
        return Ok(Format::Xls);
    }
    if file.has("WordDocument") {
        return Err(SheetRefusal::OtherFile { what: "Word文档" });
    }
    if file.has("PowerPoint Document") {
        return Err(SheetRefusal::OtherFile { what: "演示文稿" });
    }
    Err(SheetRefusal::Unknown)
}

fn known_magic(bytes: &[u8]) -> Result<(), SheetRefusal> {
    const OTHERS: [(&[u8], &str); 5] = [
        (b"%PDF", "PDF文件"),
        (b"\x89PNG", "图片"),
        (b"\xFF\xD8\xFF", "图片"),
        (b"GIF8", "图片"),
        (b"{\\rtf", "文字文档"),
    ];
    if let Some((_, what)) = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(SheetRefusal::OtherFile { what });
    }
    if bytes.starts_with(b"Rar!") || bytes.starts_with(b"7z\xBC\xAF") || bytes.starts_with(b"\x1F\x8B") {
        return Err(SheetRefusal::Archive);
    }
    Ok(())
}

/// Web pages, mail archives of web pages, and the XML tables of 2003. Zero bytes are dropped, so
/// that the same marks are found in UTF-16.
fn markup(bytes: &[u8]) -> Result<(), SheetRefusal> {
    let head: Vec<u8> = bytes.iter().take(4096).filter(|b| **b != 0).map(u8::to_ascii_lowercase).collect();
    let head = String::from_utf8_lossy(&head);
    let head = head.trim_start_matches(|c: char| c == '\u{FEFF}' || c == '\u{FFFD}' || c.is_whitespace());
    if head.starts_with("mime-version:") {
        return Err(SheetRefusal::Html);
    }
    if !head.starts_with('<') {
        return Ok(());
    }
    if head.contains("urn:schemas-microsoft-com:office:spreadsheet") && !head.contains("<html") {
        return Err(SheetRefusal::OldFormat);
    }
    const TAGS: [&str; 8] =
        ["<html", "<!doctype html", "<table", "<meta", "<head", "<style", "<body", "<div"];
    if TAGS.iter().any(|tag| head.contains(tag)) {
        return Err(SheetRefusal::Html);
    }
    Err(SheetRefusal::Unknown)
}
